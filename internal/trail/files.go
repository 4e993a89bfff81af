package trail

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// files are the files of a trail, lines of JSON, in one directory. Each has a number, and the time of its first record in its name. One goroutine writes.
type files struct {
	dir  string
	each int64         // bytes of one
	most int64         // bytes of all
	keep time.Duration // how old one may be when its last record was written

	now  *os.File // the one that is written, nil before the first record
	size int64    // its bytes
	last uint64   // its number, or that of the newest
}

// file is one of them.
type file struct {
	number uint64
	begun  time.Time
	path   string
	size   int64
	at     time.Time // of its last record
}

const (
	suffix     = ".jsonl"
	timeInName = "20060102T150405Z"
)

// open makes the directory and finds the newest file. What a process that was killed has left of a line stays: each process begins a file.
func (f *files) open() error {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return err
	}
	all, err := list(f.dir)
	if err != nil {
		return err
	}
	if len(all) > 0 {
		f.last = all[len(all)-1].number
	}
	return nil
}

// list finds the files, oldest first. What else is in the directory is nobody's business.
func list(dir string) (all []file, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list the audit log: %w", err)
	}
	for _, e := range entries {
		number, begun, ok := parseName(e.Name())
		if !ok {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list the audit log: %w", err)
		}
		all = append(all, file{number: number, begun: begun, path: filepath.Join(dir, e.Name()), size: info.Size(), at: info.ModTime()})
	}
	slices.SortFunc(all, func(a, b file) int {
		if a.number < b.number {
			return -1
		}
		return 1
	})
	return all, nil
}

// parseName reads "000000000012-20261130T002200Z.jsonl".
func parseName(name string) (number uint64, begun time.Time, ok bool) {
	stem, ok := strings.CutSuffix(name, suffix)
	if !ok {
		return 0, begun, false
	}
	n, at, _ := strings.Cut(stem, "-")
	number, err := strconv.ParseUint(n, 10, 64)
	if err != nil {
		return 0, begun, false
	}
	begun, err = time.Parse(timeInName, at)
	return number, begun, err == nil
}

// write appends whole lines. After an error the next lines begin another file, so that a line that was cut off spoils no other.
func (f *files) write(lines []byte, now time.Time) error {
	if f.now == nil || f.size > 0 && f.size+int64(len(lines)) > f.each {
		if err := f.turn(now); err != nil {
			return err
		}
	}
	n, err := f.now.Write(lines)
	f.size += int64(n)
	if err != nil {
		return errors.Join(err, f.close())
	}
	return nil
}

// turn begins the next file, and removes what is too old or too much.
func (f *files) turn(now time.Time) error {
	if err := f.close(); err != nil {
		return err
	}
	path := filepath.Join(f.dir, fmt.Sprintf("%012d-%s%s", f.last+1, now.UTC().Format(timeInName), suffix))
	next, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	f.now, f.size, f.last = next, 0, f.last+1
	return f.prune(now)
}

// prune removes files: those whose newest record is too old, and the oldest while all together are too large. The one that is written stays.
func (f *files) prune(now time.Time) error {
	all, err := list(f.dir)
	if err != nil {
		return err
	}
	var total int64
	for _, one := range all {
		total += one.size
	}
	for _, one := range all {
		if f.now != nil && one.number == f.last || now.Sub(one.at) <= f.keep && total+f.each <= f.most {
			continue
		}
		if err := os.Remove(one.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		total -= one.size
	}
	return nil
}

func (f *files) close() error {
	if f.now == nil {
		return nil
	}
	err := f.now.Close()
	f.now = nil
	return err
}
