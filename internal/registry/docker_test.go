package registry

import (
	"archive/tar"
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem" // the plain registry's
	"github.com/opencontainers/go-digest"
)

// engine is the docker program, with a configuration of the test's own.
type engine struct {
	t      testing.TB
	config string
}

// docker returns the machine's container engine. Without one the test is skipped, unless BERTH_DOCKER is "require".
func docker(t testing.TB) engine {
	t.Helper()
	e := engine{t, t.TempDir()}
	if out, err := e.try("version"); err != nil {
		if os.Getenv("BERTH_DOCKER") == "require" {
			t.Fatal(out)
		}
		t.Skip("no container engine:", out)
	}
	return e
}

func (e engine) try(args ...string) (string, error) {
	c := exec.Command("docker", append([]string{"--config", e.config}, args...)...)
	out, err := c.CombinedOutput()
	return string(out), err
}

func (e engine) must(args ...string) string {
	e.t.Helper()
	out, err := e.try(args...)
	if err != nil {
		e.t.Fatalf("docker %s: %v\n%s", args[0], err, out)
	}
	return out
}

// load makes an image of one file, and removes it after the test.
func (e engine) load(name string, content []byte) {
	e.t.Helper()
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	if err := w.WriteHeader(&tar.Header{Name: "content", Mode: 0o644, Size: int64(len(content))}); err != nil {
		e.t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		e.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		e.t.Fatal(err)
	}
	file := filepath.Join(e.config, "image.tar")
	if err := os.WriteFile(file, archive.Bytes(), 0o600); err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { // also what was pulled by its digest, or lost its tag to another one
		repository := name[:strings.LastIndexByte(name, ':')]
		if ids, err := e.try("images", "--quiet", repository); err == nil && ids != "" {
			_, _ = e.try(append([]string{"rmi", "--force"}, strings.Fields(ids)...)...) // it is gone where the test removed it
		}
	})
	e.must("import", file, name)
}

// docker login, push and pull work, and the engine has the digests that the registry has.
func TestDocker(t *testing.T) {
	e, s := docker(t), open(t)
	host := strings.TrimPrefix(s.URL, "http://")
	if out, err := e.try("login", "--username", "AWS", "--password", "wrong", host); err == nil || !strings.Contains(out, "401") {
		t.Errorf("a wrong password: %v\n%s", err, out)
	}
	e.must("login", "--username", "AWS", "--password", "right", host)
	name := host + "/123456789012/us-east-1/app"
	e.load(name+":v1", []byte(name))
	if out := e.must("push", name+":v1"); !strings.Contains(out, "digest: sha256:") {
		t.Error(out)
	}
	images, err := s.Images(t.Context(), "r-app")
	if err != nil || len(images) != 1 || strings.Join(images[0].Tags, " ") != "v1" {
		t.Fatalf("%+v, %v", images, err)
	}
	byDigest := name + "@" + images[0].Digest.String()
	if got := e.must("inspect", "--format", "{{index .RepoDigests 0}}", name+":v1"); strings.TrimSpace(got) != byDigest {
		t.Errorf("%s instead of %s", got, byDigest)
	}
	e.must("rmi", name+":v1")
	e.must("pull", name+":v1")
	e.must("rmi", name+":v1")
	e.must("pull", byDigest)
	other, fixed, none := host+"/123456789012/us-east-1/other:v1", host+"/123456789012/us-east-1/fixed:v1", host+"/123456789012/us-east-1/none:v1"
	for _, one := range []string{other, fixed, none} {
		e.must("tag", byDigest, one)
		t.Cleanup(func() { _, _ = e.try("rmi", "--force", one) })
	}
	t.Cleanup(func() { _, _ = e.try("rmi", "--force", byDigest) })
	if out := e.must("push", other); !strings.Contains(out, "Mounted from 123456789012/us-east-1/app") {
		t.Errorf("the layer was sent again:\n%s", out)
	}
	e.must("push", fixed)
	for one, want := range map[string]string{
		fixed: "The image tag 'v1' already exists in the 'fixed' repository and cannot be overwritten because the repository is immutable.",
		none:  "The repository with name 'none' does not exist in the registry with id '123456789012'",
	} {
		if out, err := e.try("push", one); err == nil || !strings.Contains(out, want) {
			t.Errorf("docker push %s: %v\n%s", one, err, out)
		}
	}
	s.user.denied = []string{"ecr:BatchGetImage"}
	if out, err := e.try("pull", name+":v1"); err == nil || !strings.Contains(out, "is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:us-east-1:123456789012:repository/app") {
		t.Errorf("a pull that is denied: %v\n%s", err, out)
	}
}

// plain is distribution's own registry, as it comes.
func plain(b *testing.B) *httptest.Server {
	b.Helper()
	c := &configuration.Configuration{Storage: configuration.Storage{
		"filesystem":  configuration.Parameters{"rootdirectory": b.TempDir()},
		"maintenance": configuration.Parameters{"uploadpurging": map[any]any{"enabled": false}},
	}}
	app := handlers.NewApp(b.Context(), c)
	s := httptest.NewServer(app)
	b.Cleanup(func() {
		s.Close()
		if err := app.Shutdown(); err != nil {
			b.Error(err)
		}
	})
	return s
}

// BenchmarkPush and BenchmarkPull push and pull a layer of 100 MB as engines do, without an engine's own work, which is most of it: packing and unpacking.
// "plain" is distribution's registry on the same disk.
func BenchmarkPush(b *testing.B) {
	each(b, func(b *testing.B, s *site, prefix string) {
		content := random()
		for i := 0; b.Loop(); i++ {
			copy(content, fmt.Sprintf("layer %d of %s", i, b.Name()))
			s.layer(prefix, content)
		}
	})
}

func BenchmarkPull(b *testing.B) {
	each(b, func(b *testing.B, s *site, prefix string) {
		content := random()
		d := s.layer(prefix, content).Digest
		for b.Loop() {
			if got := s.wants(200, s.ask("GET", prefix+"/blobs/"+d.String(), nil)); len(got.body) != len(content) {
				b.Fatal(len(got.body))
			}
		}
	})
}

// BenchmarkDocker is docker push and docker pull of an image of 100 MB that does not compress.
func BenchmarkDocker(b *testing.B) {
	e := docker(b)
	each(b, func(b *testing.B, s *site, prefix string) {
		host := strings.TrimPrefix(s.URL, "http://")
		e.must("login", "--username", "AWS", "--password", "right", host)
		name := host + "/" + strings.TrimPrefix(prefix, "/v2/")
		if prefix == "app" {
			name = host + "/123456789012/us-east-1/app"
		}
		content := random()
		for i := 0; b.Loop(); i++ {
			b.StopTimer()
			copy(content, digest.FromString(fmt.Sprint(name, i)).String())
			e.t = b
			e.load(name+":v1", content)
			b.StartTimer()
			e.must("push", name+":v1")
			b.StopTimer()
			e.must("rmi", name+":v1")
			b.StartTimer()
			e.must("pull", name+":v1")
		}
	})
}

// each runs a benchmark with Berth's registry and with the plain one.
func each(b *testing.B, f func(b *testing.B, s *site, prefix string)) {
	b.Run("berth", func(b *testing.B) {
		b.SetBytes(hundred)
		f(b, open(b), "app")
	})
	b.Run("plain", func(b *testing.B) {
		b.SetBytes(hundred)
		f(b, &site{Server: plain(b), t: b, user: &user{}}, "/v2/app")
	})
}

const hundred = 100 << 20

func random() []byte {
	content := make([]byte, hundred)
	source := rand.NewChaCha8([32]byte{})
	_, _ = source.Read(content) // it never fails
	return content
}
