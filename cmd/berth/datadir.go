package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"berth/internal/seal"
	"berth/internal/state/etcd"
)

// dataDir is where an installation keeps its files.
type dataDir string

func defaultData() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return ".berth"
	}
	return filepath.Join(home, ".berth")
}

func (d dataDir) path(name string) string { return filepath.Join(string(d), name) }

// installation is what an installation knows of itself, kept in berth.json.
type installation struct {
	ID        string // in the names of everything that it makes on a machine
	Listen    string
	Servers   []string `json:",omitempty"` // an agent's control plane: the URL of each replica; Listen is the first of them
	TLS       bool     `json:",omitempty"` // it serves HTTPS with a certificate of the operator's
	Region    string
	Account   string
	Auth      string
	Instances int
	Flags     map[string]string `json:",omitempty"` // of the server of `berth up`, as they were last given
	Agent     map[string]string `json:",omitempty"` // of its agent
	HostNet   int               // its instances' host addresses are 127.0.HostNet.1, .2, ...
}

// servers are the URLs of an agent's control plane.
func (in *installation) servers() []string {
	if len(in.Servers) > 0 {
		return in.Servers
	}
	return []string{in.Listen} // what joined when there was only one
}

// open makes the directory, absolute, and the installation's identity and key where they are missing.
func openData(dir string) (dataDir, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("data directory: %w", err)
	}
	d := dataDir(abs)
	if err := os.MkdirAll(abs, 0o700); err != nil {
		return "", fmt.Errorf("data directory: %w", err)
	}
	if _, err := os.Stat(d.path("key")); errors.Is(err, fs.ErrNotExist) {
		if err := d.makeKey(); err != nil {
			return "", err
		}
	}
	return d, nil
}

// makeKey makes the installation's key, unless another process is faster.
func (d dataDir) makeKey() error {
	mine := "key." + rand.Text()
	if err := d.write(mine, []byte(hex.EncodeToString(seal.NewKey())+"\n")); err != nil {
		return err
	}
	defer os.Remove(d.path(mine)) //nolint:errcheck // a leftover is no key
	if err := os.Link(d.path(mine), d.path("key")); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("write key: %w", err)
	}
	return nil
}

// existing is a data directory that must be there already.
func existing(dir string) (dataDir, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("data directory: %w", err)
	}
	if _, err := os.Stat(filepath.Join(abs, "berth.json")); err != nil {
		return "", fmt.Errorf("there is no installation in %s; start one with `berth up --data %s`", abs, dir)
	}
	return dataDir(abs), nil
}

func (d dataDir) key() (seal.Key, error) {
	b, err := os.ReadFile(d.path("key"))
	if err != nil {
		return seal.Key{}, fmt.Errorf("sealing key: %w", err)
	}
	raw, err := hex.DecodeString(strings.TrimSpace(string(b)))
	if err != nil {
		return seal.Key{}, fmt.Errorf("sealing key: %w", err)
	}
	return seal.ParseKey(raw)
}

// load reads berth.json; a new installation gets an id.
func (d dataDir) load() (installation, error) {
	var in installation
	b, err := os.ReadFile(d.path("berth.json"))
	if errors.Is(err, fs.ErrNotExist) {
		in = installation{ID: strings.ToLower(rand.Text()[:10]), HostNet: 1}
		if string(d) != defaultData() {
			in.HostNet = 2 + int(hashOf(in.ID)%250)
		}
		return in, nil
	}
	if err != nil {
		return in, fmt.Errorf("installation: %w", err)
	}
	if err := json.Unmarshal(b, &in); err != nil {
		return in, fmt.Errorf("installation: %s: %w", d.path("berth.json"), err)
	}
	return in, nil
}

func hashOf(s string) (h uint32) {
	for i := range len(s) {
		h = h*31 + uint32(s[i])
	}
	return h
}

func (d dataDir) save(name string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return d.write(name, append(b, '\n'))
}

// write replaces a file at once, readable by its owner only. Where the disk is full, it takes what the store keeps for that.
func (d dataDir) write(name string, b []byte) error {
	err := d.replace(name, b)
	if errors.Is(err, unix.ENOSPC) && etcd.GiveUpBallast(d.path("etcd")) {
		err = d.replace(name, b)
	}
	if errors.Is(err, unix.ENOSPC) {
		return fmt.Errorf("%w; free some space on the file system of %s", err, d)
	}
	return err
}

func (d dataDir) replace(name string, b []byte) error {
	tmp, err := os.CreateTemp(string(d), name+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer os.Remove(tmp.Name()) //nolint:errcheck // gone after the rename
	_, err = tmp.Write(b)
	if err == nil {
		err = tmp.Sync()
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp.Name(), d.path(name))
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

func (d dataDir) read(name string, v any) error {
	b, err := os.ReadFile(d.path(name))
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}

// accessKey is the administrator's key, kept in credentials.json for the commands of this machine.
type accessKey struct{ AccessKeyID, SecretAccessKey string }
