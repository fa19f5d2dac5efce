//go:build linux || darwin || freebsd

package storage

import "syscall"

// freeBytes gives how much may still be written to the disk that a folder is on.
func freeBytes(folder string) (int64, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(folder, &fs); err != nil {
		return 0, err
	}
	return int64(fs.Bavail) * int64(fs.Bsize), nil
}
