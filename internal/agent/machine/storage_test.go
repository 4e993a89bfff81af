package machine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"berth/internal/agent"
)

// paper is an engine on paper: containers with their layers, and images with their sizes.
type paper struct {
	layers  map[string]agent.Layer
	written map[string]int64 // by container, of those whose engine does not say where they write
	images  map[string]int64
}

func (p *paper) Layer(_ context.Context, id string) (agent.Layer, error) {
	l, ok := p.layers[id]
	if !ok {
		return l, fmt.Errorf("container %s: %w", id, agent.ErrNotFound)
	}
	return l, nil
}

func (p *paper) LayerBytes(_ context.Context, id string) (int64, error) { return p.written[id], nil }

func (p *paper) ImageBytes(_ context.Context, image string) (int64, error) {
	n, ok := p.images[image]
	if !ok {
		return 0, fmt.Errorf("image %s: %w", image, agent.ErrNotFound)
	}
	return n, nil
}

// kernel is a file system with project quotas on paper. What a project takes is what is in its directories.
type kernel struct {
	projects map[string]uint32 // by directory
	limits   map[uint32]int64
	busy     map[uint32]int64 // what projects take that others have made
	refuses  error
}

func (k *kernel) Project(dir string) (uint32, error) { return k.projects[dir], nil }

func (k *kernel) Mark(_ context.Context, dir string, project uint32) error {
	k.projects[dir] = project
	return k.refuses
}

func (k *kernel) Bound(project uint32, bytes int64) error {
	if k.limits[project] = bytes; bytes == 0 {
		delete(k.limits, project)
	}
	return nil
}

func (k *kernel) Use(project uint32) (bytes, limit int64, err error) {
	for dir, p := range k.projects {
		if p == project {
			n, err := bytesBelow(context.Background(), dir)
			if err != nil {
				return 0, 0, err
			}
			bytes += n
		}
	}
	return bytes + k.busy[project], k.limits[project], nil
}

func newKernel() *kernel {
	return &kernel{projects: map[string]uint32{}, limits: map[uint32]int64{}, busy: map[uint32]int64{}}
}

// openPaper is a storage on an engine on paper, with the kernel's quotas where there are some.
func openPaper(t *testing.T, p *paper, k *kernel) *Storage {
	data := t.TempDir()
	s := OpenStorage(p, func(context.Context) (string, error) { return data, nil }, slog.New(slog.DiscardHandler))
	s.open = func(string) (quotas, error) {
		if k == nil {
			return nil, errors.New("no quotas")
		}
		return k, nil
	}
	return s
}

// fill writes a file of so many KiB, which is synced, so that its blocks are counted.
func fill(t *testing.T, path string, kib int) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(make([]byte, kib<<10)); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
}

// twoContainers are two of one image, with a volume that both mount, and one whose engine does not say where it writes.
func twoContainers(dir string) *paper {
	volume := dir + "/volume"
	return &paper{
		layers: map[string]agent.Layer{"a": {Image: "i", Upper: dir + "/a", Work: dir + "/aw", Volumes: []string{volume}},
			"b": {Image: "i", Upper: dir + "/b", Work: dir + "/bw", Volumes: []string{volume}}, "c": {Image: "j"}},
		written: map[string]int64{"c": 3 << 20}, images: map[string]int64{"i": 10 << 20, "j": 5 << 20},
	}
}

// near says whether a size is one of files, with a little for their directories and for where the file system keeps track of their blocks.
func near(got, want int64) bool { return got >= want && got < want+192<<10 }

func TestMeasuredStorage(t *testing.T) {
	dir := t.TempDir()
	p := twoContainers(dir)
	p.layers["far"], p.written["far"] = agent.Layer{Image: "j", Upper: dir + "/none/upper", Work: dir + "/none/work"}, 1<<20 // on another machine
	s := openPaper(t, p, nil)
	ctx := t.Context()
	d := agent.Disk{Task: "t", LimitBytes: 1 << 30, Containers: []string{"a", "b", "c", "gone", "far"}}
	if err := s.Limit(ctx, d); err != nil {
		t.Fatal(err)
	}
	fill(t, dir+"/a/x", 2048)
	fill(t, dir+"/a/deep/er/y", 512)
	fill(t, dir+"/b/x", 1024)
	fill(t, dir+"/volume/x", 4096)
	fill(t, dir+"/bw/x", 256)
	want := int64(10+5+3+1)<<20 + (2048+512+1024+4096+256)<<10
	if u, err := s.Used(ctx, d); err != nil || !near(u.Bytes, want) || u.Kept {
		t.Errorf("%+v, %v; want about %d", u, err, want)
	}
	for limit, wrong := range map[int64]bool{15 << 20: true, 15<<20 + 1: false} {
		d.LimitBytes = limit
		if err := s.Limit(ctx, d); errors.Is(err, agent.ErrNoSpace) != wrong {
			t.Errorf("images of 15 MiB in %d bytes: %v", limit, err)
		}
	}
	if err := s.Release(ctx, d); err != nil {
		t.Error(err)
	}
	if n, err := s.Filled(ctx); err != nil || n <= 0 {
		t.Errorf("%d bytes are taken, %v", n, err)
	}
}

func TestKeptStorage(t *testing.T) {
	dir := t.TempDir()
	p, k := twoContainers(dir), newKernel()
	ctx := t.Context()
	d := agent.Disk{Task: "t", LimitBytes: 100 << 20, Containers: []string{"a"}}
	for _, name := range []string{"/a", "/b", "/o", "/old"} { // as the engine does
		if err := os.Mkdir(dir+name, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s := openPaper(t, p, k)
	if err := s.Limit(ctx, d); err != nil {
		t.Fatal(err)
	}
	d.Containers = []string{"a", "b"}
	s = openPaper(t, p, k) // another agent goes on with the same project
	if err := s.Limit(ctx, d); err != nil {
		t.Fatal(err)
	}
	other := agent.Disk{Task: "t", LimitBytes: 50 << 20, Containers: []string{"o"}} // whose project would be the same one
	p.layers["o"] = agent.Layer{Image: "i", Upper: dir + "/o"}
	if err := s.Limit(ctx, other); err != nil {
		t.Fatal(err)
	}
	project := k.projects[dir+"/a"]
	want := map[string]uint32{dir + "/a": project, dir + "/aw": project, dir + "/b": project, dir + "/bw": project, dir + "/volume": project, dir + "/o": project + 1}
	if !maps.Equal(k.projects, want) || project < firstProject {
		t.Errorf("projects %v, want %v", k.projects, want)
	}
	if limits := (map[uint32]int64{project: 90 << 20, project + 1: 40 << 20}); !maps.Equal(k.limits, limits) {
		t.Errorf("limits %v, want %v: less the image", k.limits, limits)
	}
	fill(t, dir+"/volume/x", 4096)
	if u, err := s.Used(ctx, d); err != nil || !near(u.Bytes, 14<<20) || !u.Kept {
		t.Errorf("%+v, %v", u, err)
	}
	for range 2 { // again is no error
		if err := s.Release(ctx, d); err != nil {
			t.Error(err)
		}
	}
	if len(k.limits) != 1 || k.limits[project+1] == 0 {
		t.Errorf("limits after the end of one: %v", k.limits)
	}
	k.projects[dir+"/a"], k.refuses = 7, errors.New("not allowed") // the operator's: it becomes the task's, or nothing starts
	if err := s.Limit(ctx, agent.Disk{Task: "u", LimitBytes: 100 << 20, Containers: []string{"a"}}); !errors.Is(err, k.refuses) {
		t.Error(err)
	}
	// Containers of an agent that set no quotas are measured.
	p.layers["old"] = agent.Layer{Image: "i", Upper: dir + "/old"}
	if u, err := s.Used(ctx, agent.Disk{Task: "old", LimitBytes: 1 << 30, Containers: []string{"old"}}); err != nil || u.Kept {
		t.Errorf("%+v, %v", u, err)
	}
}

// TestStorageWaitsForTheEngine: what the engine does not answer is asked again.
func TestStorageWaitsForTheEngine(t *testing.T) {
	away := fmt.Errorf("info: %w", agent.ErrUnavailable)
	data := t.TempDir()
	s := OpenStorage(twoContainers(data), func(context.Context) (string, error) { return data, away }, slog.New(slog.DiscardHandler))
	d := agent.Disk{Task: "t", LimitBytes: 1 << 30, Containers: []string{"a"}}
	ctx := t.Context()
	_, used := s.Used(ctx, d)
	_, filled := s.Filled(ctx)
	for what, err := range map[string]error{"limit": s.Limit(ctx, d), "used": used, "release": s.Release(ctx, d), "filled": filled} {
		if !errors.Is(err, agent.ErrUnavailable) {
			t.Errorf("%s: %v", what, err)
		}
	}
	away = nil
	if err := s.Limit(ctx, d); err != nil {
		t.Error(err)
	}
}

func TestBytesBelow(t *testing.T) {
	dir := t.TempDir()
	ctx := t.Context()
	fill(t, dir+"/x", 1024)
	for _, name := range []string{"/y", "/z"} { // the same file
		if err := os.Link(dir+"/x", dir+name); err != nil {
			t.Fatal(err)
		}
	}
	outside := t.TempDir()
	fill(t, outside+"/big", 4096)
	if err := os.Symlink(outside, dir+"/link"); err != nil {
		t.Fatal(err)
	}
	sparse, err := os.Create(dir + "/sparse")
	if err != nil {
		t.Fatal(err)
	}
	if err := sparse.Truncate(1 << 40); err != nil {
		t.Fatal(err)
	}
	sparse.Close()
	if n, err := bytesBelow(ctx, dir); err != nil || !near(n, 1<<20) {
		t.Errorf("%d, %v; want about a MiB", n, err)
	}
	if n, err := bytesBelow(ctx, dir+"/none"); n != 0 || err != nil {
		t.Errorf("of nothing: %d, %v", n, err)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := bytesBelow(ended, dir); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

// TestBytesBelowDeep: what lies deeper than a path can say is counted, and what lies too deep is said to be.
func TestBytesBelowDeep(t *testing.T) {
	dir := t.TempDir()
	at, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.Repeat("n", 200)
	depth := 0
	dig := func(to int) {
		t.Helper()
		for ; depth < to; depth++ {
			if err := at.Mkdir(name, 0o755); err != nil {
				t.Fatal(err)
			}
			next, err := at.OpenRoot(name)
			if err != nil {
				t.Fatal(err)
			}
			at.Close()
			at = next
		}
	}
	dig(100) // 20 kB of path
	if err := at.WriteFile("x", make([]byte, 1<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	if f, err := at.Open("x"); err != nil || f.Sync() != nil || f.Close() != nil {
		t.Fatal(err)
	}
	if n, err := bytesBelow(t.Context(), dir); err != nil || n < 1<<20 || n > 2<<20 {
		t.Errorf("%d, %v", n, err)
	}
	dig(walkDepth)
	at.Close()
	if _, err := bytesBelow(t.Context(), dir); !errors.Is(err, agent.ErrUnmeasurable) {
		t.Errorf("too deep: %v", err)
	}
}

// TestBytesDeleted: files that this very process has open and that have no name count once, those with a name and those in memory do not.
func TestBytesDeleted(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	self := t.TempDir() // a /proc with this process, in a container's group, and one of somebody else
	for pid, id := range map[string]string{"17": "c0ffee", "18": "others", "19": "none"} {
		if err := os.MkdirAll(self+"/"+pid, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(self+"/"+pid+"/cgroup", []byte("4:memory:/ecs/i-one/t/"+id+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if pid != "19" { // which ends right now
			if err := os.Symlink(fmt.Sprintf("/proc/%d/fd", os.Getpid()), self+"/"+pid+"/fd"); err != nil {
				t.Fatal(err)
			}
		}
	}
	measure := func() int64 {
		t.Helper()
		n, err := bytesDeleted(ctx, self, dir, []string{"c0ffee", "none", ""})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := measure()
	fill(t, dir+"/x", 1024)
	for range 2 { // twice the same one
		f, err := os.Open(dir + "/x")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
	}
	memory, err := unix.MemfdCreate("x", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(memory) //nolint:errcheck // nothing depends on it
	if _, err := unix.Write(memory, make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	if n := measure() - before; n != 0 {
		t.Errorf("%d bytes although the file has a name", n)
	}
	if err := os.Remove(dir + "/x"); err != nil {
		t.Fatal(err)
	}
	if n := measure() - before; !near(n, 1<<20) {
		t.Errorf("%d bytes, want about a MiB", n)
	}
	if n, err := bytesDeleted(ctx, self, dir, nil); n != 0 || err != nil {
		t.Errorf("of no containers: %d, %v", n, err)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := bytesDeleted(ended, self, dir, []string{"c0ffee"}); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

func TestQuotaDevice(t *testing.T) {
	const mounts = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
30 22 254:16 / /var/lib/docker rw,noatime - xfs /dev/vdb rw,attr2,prjquota
31 22 254:32 / /srv rw - ext4 /dev/vdc rw,prjquota,usrquota
broken line
`
	for number, want := range map[string]string{"254:0": "(ext4 on /dev/vda) is not mounted with prjquota", "254:16": "/dev/vdb", "254:32": "/dev/vdc",
		"0:1": "is not in the list of mounts"} {
		got, err := quotaDevice(mounts, number)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", number, got, want)
		}
	}
}

func FuzzQuotaDevice(f *testing.F) {
	f.Add("1 1 8:1 / / rw - ext4 /dev/sda rw,prjquota", "8:1")
	f.Fuzz(func(t *testing.T, mounts, number string) {
		if device, err := quotaDevice(mounts, number); err == nil && !strings.Contains(mounts, device) {
			t.Errorf("device %q is not in the text", device)
		}
	})
}

// TestQuotaShapes: what goes to the kernel is as large as there. A file system without quotas is told as one.
func TestQuotaShapes(t *testing.T) {
	if n := unsafe.Sizeof(diskQuota{}); n != 112 {
		t.Errorf("struct fs_disk_quota has %d bytes", n)
	}
	for _, command := range []uintptr{getAttributes, setAttributes} {
		if n := unsafe.Sizeof(fileAttributes{}); n != command>>16&0x3fff {
			t.Errorf("struct fsxattr has %d bytes, in command %x %d", n, command, command>>16&0x3fff)
		}
	}
	q := &projectQuotas{device: "/dev/null"}
	if _, _, err := q.Use(firstProject); !errors.Is(err, unix.ENOTBLK) && !errors.Is(err, unix.ENOSYS) {
		t.Errorf("quotas of no block device: %v", err)
	}
	if _, err := openQuotas("/proc/self"); err == nil {
		t.Error("/proc has project quotas")
	}
}

// BenchmarkBytesBelow measures 10,000 files, as an image with its packages has.
func BenchmarkBytesBelow(b *testing.B) {
	dir := b.TempDir()
	for d := range 100 {
		sub := fmt.Sprintf("%s/%d", dir, d)
		if err := os.Mkdir(sub, 0o755); err != nil {
			b.Fatal(err)
		}
		for f := range 100 {
			if err := os.WriteFile(fmt.Sprintf("%s/%d", sub, f), []byte("x"), 0o644); err != nil {
				b.Fatal(err)
			}
		}
	}
	for b.Loop() {
		if _, err := bytesBelow(b.Context(), dir); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(10_000*b.N)/b.Elapsed().Seconds(), "files/s")
}
