package docker

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/moby/moby/client"

	"berth/internal/agent"
)

// labelContent is the label of an imported image that tells what it was made of.
const labelContent = "berth.content"

// ImageConfig is how the containers of an imported image start.
type ImageConfig struct {
	Entrypoint []string
	Cmd        []string
	// Links are paths in the image, to the binary: "/bin/sh" for one that looks at the name it is called by.
	Links []string
}

// ImportImage makes an image of nothing but one static binary, as /bin/<its name>, where the engine has not yet just that.
func (e *Engine) ImportImage(ctx context.Context, name, binaryPath string, c ImageConfig) error {
	content, err := fingerprint(binaryPath, c)
	if err != nil {
		return err
	}
	have, err := e.api.ImageInspect(ctx, name)
	switch {
	case err == nil && have.Config != nil && have.Config.Labels[labelContent] == content:
		return nil
	case err != nil && !errors.Is(tell(err), agent.ErrNotFound):
		return fmt.Errorf("look for image %s: %w", name, tell(err))
	}
	changes, err := c.changes(content)
	if err != nil {
		return err
	}
	r, w := io.Pipe()
	written := make(chan error, 1)
	go func() { // ends when the engine has read all, or when r is closed
		err := writeTar(w, binaryPath, c.Links)
		w.CloseWithError(err)
		written <- err
	}()
	err = e.importTar(ctx, r, name, changes)
	r.CloseWithError(errors.New("the import has ended"))
	if werr := <-written; err == nil {
		err = werr
	}
	if err != nil {
		return fmt.Errorf("import %s as image %s: %w", binaryPath, name, tell(err))
	}
	return nil
}

func (e *Engine) importTar(ctx context.Context, r io.Reader, name string, changes []string) error {
	out, err := e.api.ImageImport(ctx, client.ImageImportSource{Source: r, SourceName: "-"}, name, client.ImageImportOptions{Changes: changes})
	if err != nil {
		return err
	}
	defer out.Close()
	d := json.NewDecoder(out)
	for {
		var m struct {
			Error string `json:"error"`
		}
		if err := d.Decode(&m); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read the engine's answer: %w", err)
		}
		if m.Error != "" {
			return errors.New(m.Error)
		}
	}
}

// changes are the image's configuration as the engine's import takes it.
func (c ImageConfig) changes(content string) (list []string, err error) {
	list = append(list, "LABEL "+labelContent+"="+content)
	for word, args := range map[string][]string{"ENTRYPOINT": c.Entrypoint, "CMD": c.Cmd} {
		if len(args) == 0 {
			continue
		}
		text, err := json.Marshal(args)
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", word, err)
		}
		list = append(list, word+" "+string(text))
	}
	return list, nil
}

// fingerprint is a digest of everything that an imported image is made of.
func fingerprint(binaryPath string, c ImageConfig) (string, error) {
	f, err := os.Open(binaryPath)
	if err != nil {
		return "", fmt.Errorf("import an image: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read %s: %w", binaryPath, err)
	}
	fmt.Fprintf(h, "%q %q %q %q", filepath.Base(binaryPath), c.Entrypoint, c.Cmd, c.Links)
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

func writeTar(w io.Writer, binaryPath string, links []string) error {
	f, err := os.Open(binaryPath)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	t := tar.NewWriter(w)
	binary := "bin/" + filepath.Base(binaryPath)
	for _, h := range []*tar.Header{
		{Name: "bin/", Typeflag: tar.TypeDir, Mode: 0o755}, {Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777},
		{Name: binary, Typeflag: tar.TypeReg, Mode: 0o755, Size: st.Size()},
	} {
		if err := t.WriteHeader(h); err != nil {
			return err
		}
	}
	if _, err := io.Copy(t, f); err != nil {
		return err
	}
	for _, l := range links {
		if err := t.WriteHeader(&tar.Header{Name: l[1:], Typeflag: tar.TypeSymlink, Linkname: "/" + binary, Mode: 0o777}); err != nil {
			return err
		}
	}
	return t.Close()
}
