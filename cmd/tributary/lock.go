package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// serverLock is a file of the data folder that the one server on it holds. Commands beside it do not ask for it.
const serverLock = "server.lock"

// occupyFolder keeps a second server off a data folder: each would think that it alone takes deliveries in and wakes
// workers. It gives what frees the folder again. The file stays, or two servers could hold two files of that name.
func occupyFolder(folder string) (free func() error, err error) {
	path := filepath.Join(folder, serverLock)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the server's lock in DATA_DIR: %w", err)
	}
	mine, err := lockFile(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
	if !mine {
		text, _ := io.ReadAll(io.LimitReader(f, 20))
		pid := cmp.Or(strings.TrimSpace(string(text)), "not known")
		return nil, errors.Join(fmt.Errorf("a server runs on the data folder %s already (process %s); stop it first, "+
			"or give this one a DATA_DIR of its own", folder, pid), f.Close())
	}
	// On a full disk the number is missing; the lock holds all the same.
	err = errors.Join(f.Truncate(0), second(f.WriteString(strconv.Itoa(os.Getpid())+"\n")))
	if err != nil && !errors.Is(err, syscall.ENOSPC) {
		return nil, errors.Join(fmt.Errorf("write %s: %w", path, err), f.Close())
	}
	return f.Close, nil
}

func second[T any](_ T, err error) error { return err }

// occupied gives an error when a server runs on a folder.
func occupied(folder string) error {
	if _, err := os.Stat(filepath.Join(folder, serverLock)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	free, err := occupyFolder(folder)
	if err != nil {
		return err
	}
	return free()
}
