package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// demoMarker is a file that makes a folder recognisable as a demo's, which may be removed. It holds the address of the
// demo that runs on the folder, and nothing when none does.
const demoMarker = ".tributary-demo"

// demoFolder is the data folder of one demo.
type demoFolder struct{ path string }

// newDemoFolder makes the folder anew. A folder that holds anything but an earlier demo is an error.
func newDemoFolder(ctx context.Context, path string) (demoFolder, error) {
	f := demoFolder{path}
	if err := f.remove(ctx); err != nil {
		return f, err
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		return f, fmt.Errorf("make the demo's folder: %w", err)
	}
	return f, f.vacate()
}

// remove takes away what an earlier demo left.
func (f demoFolder) remove(ctx context.Context) error {
	info, err := os.Lstat(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.IsDir() && os.Remove(f.path) == nil { // works on empty folders only
		return nil
	}
	marker, err := os.Lstat(f.marker())
	if !info.IsDir() || err != nil || !marker.Mode().IsRegular() {
		return fmt.Errorf(
			"%s is there and was not made by a demo, so it is left alone; choose another folder with --data", f.path)
	}
	address, err := os.ReadFile(f.marker())
	if err != nil {
		return err
	}
	if base := strings.TrimSpace(string(address)); base != "" && answers(ctx, base) {
		return fmt.Errorf("a demo runs on %s at %s already; end it first, or choose another folder with --data",
			f.path, base)
	}
	if err := occupied(f.path); err != nil { // it may have no time to answer, or not serve yet
		return fmt.Errorf("%w; or choose another folder with --data", err)
	}
	return os.RemoveAll(f.path)
}

func (f demoFolder) marker() string { return filepath.Join(f.path, demoMarker) }

// occupy notes that a demo runs on the folder, vacate that none does.
func (f demoFolder) occupy(base string) error {
	return os.WriteFile(f.marker(), []byte(base+"\n"), 0o600)
}

func (f demoFolder) vacate() error { return os.WriteFile(f.marker(), nil, 0o600) }

func answers(ctx context.Context, base string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/healthz", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}
