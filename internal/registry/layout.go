package registry

import (
	"os"
	"path/filepath"

	"github.com/opencontainers/go-digest"
)

// layout is where the engine's filesystem driver keeps what: the folder of all, which the engine's paths begin in. Only digests of SHA-256 are in it.
type layout string

const algorithm = string(digest.SHA256)

func inside(dir string) layout { return layout(filepath.Join(dir, "docker", "registry", "v2")) }

func (l layout) at(parts ...string) string {
	return filepath.Join(append([]string{string(l)}, parts...)...)
}

// storages has a folder for each repository.
func (l layout) storages() string { return l.at("repositories") }

func (l layout) storage(name string) string { return l.at("repositories", name) }

// revisions has a folder for each image of a repository.
func (l layout) revisions(name string) string {
	return l.at("repositories", name, "_manifests", "revisions", algorithm)
}

// revision is the file that says that an image is in a repository. Its time is that of the push.
func (l layout) revision(name string, d digest.Digest) string {
	return filepath.Join(l.revisions(name), d.Encoded(), "link")
}

// tags has a folder for each tag of a repository.
func (l layout) tags(name string) string { return l.at("repositories", name, "_manifests", "tags") }

// layers has a folder for each layer that was pushed to a repository or mounted into it.
func (l layout) layers(name string) string {
	return l.at("repositories", name, "_layers", algorithm)
}

func (l layout) layer(name string, d digest.Digest) string {
	return filepath.Join(l.layers(name), d.Encoded(), "link")
}

// uploads has a folder for each upload that goes on.
func (l layout) uploads(name string) string { return l.at("repositories", name, "_uploads") }

// blobs has a folder for each first byte of digests, with one for each blob: a manifest, or a layer that any number of repositories have.
func (l layout) blobs() string { return l.at("blobs", algorithm) }

func (l layout) blob(d digest.Digest) string {
	return filepath.Join(l.blobs(), d.Encoded()[:2], d.Encoded(), "data")
}

// names are what is in a folder, nothing where it is not there.
func names(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if os.IsNotExist(err) {
		return nil, nil
	}
	list := make([]string, len(entries))
	for i, e := range entries {
		list[i] = e.Name()
	}
	return list, err
}

// digests are the digests that folders within a folder are called after.
func digests(folder string) ([]digest.Digest, error) {
	found, err := names(folder)
	var list []digest.Digest
	for _, name := range found {
		if d := digest.NewDigestFromEncoded(digest.SHA256, name); d.Validate() == nil {
			list = append(list, d)
		}
	}
	return list, err
}
