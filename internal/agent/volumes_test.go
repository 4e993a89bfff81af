package agent_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"berth/internal/acsproto"
	"berth/internal/agent"
)

// mounting is a container that mounts volume v.
func mounting(name, image string) acsproto.Container {
	c := essential(name, image)
	c.MountPoints = []acsproto.MountPoint{{SourceVolume: "v", ContainerPath: "/v"}}
	return c
}

func TestTaskVolume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start()
		defer func() { w.kill() }()
		one := task(1, mounting("a", "app"), mounting("b", "app"))
		one.Volumes = []acsproto.Volume{{Name: "v", Type: "docker", Docker: &acsproto.DockerVolume{Scope: "task", Driver: "local",
			DriverOpts: map[string]string{"type": "tmpfs"}, Labels: map[string]string{"mine": "yes"}}}}
		w.control.Run(one)
		w.expect(one.ARN, "RUNNING a:RUNNING b:RUNNING")
		list := w.engine.VolumeList()
		if len(list) != 1 {
			t.Fatalf("volumes %+v", list)
		}
		want := agent.Volume{Name: list[0].Name, Driver: "local", Options: map[string]string{"type": "tmpfs"},
			Labels: map[string]string{"mine": "yes", agent.LabelInstallation: "test", "com.amazonaws.ecs.task-arn": one.ARN}}
		if diff := cmp.Diff(want, list[0]); diff != "" || list[0].Name == "v" {
			t.Errorf("volume %s (-want +got):\n%s", list[0].Name, diff)
		}
		w.control.Stop(one.ARN)
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if n := w.engine.Volumes(); n != 0 {
			t.Errorf("%d volumes are left", n)
		}
	})
}

func TestSharedVolume(t *testing.T) {
	local := agent.Volume{Name: "v", Driver: "local", Options: map[string]string{"type": "tmpfs"}, Labels: map[string]string{"mine": "yes"}}
	const failed = "STOPPED a:STOPPED CannotCreateVolumeError: volume v: "
	for _, c := range []struct {
		name  string
		have  []agent.Volume
		order acsproto.DockerVolume
		want  string
		left  int
	}{
		{"made where it is missing", nil, acsproto.DockerVolume{Autoprovision: true}, "RUNNING a:RUNNING", 1},
		{"not made", nil, acsproto.DockerVolume{}, failed + "volume v: no such container, image or volume", 0},
		{"there", []agent.Volume{local}, acsproto.DockerVolume{Driver: "other"}, "RUNNING a:RUNNING", 1},
		{"as ordered", []agent.Volume{local}, acsproto.DockerVolume{Autoprovision: true, Driver: "local", DriverOpts: local.Options, Labels: local.Labels},
			"RUNNING a:RUNNING", 1},
		{"other driver", []agent.Volume{local}, acsproto.DockerVolume{Autoprovision: true, Driver: "nfs"}, failed + "it is there with driver local, not nfs", 1},
		{"other options", []agent.Volume{local}, acsproto.DockerVolume{Autoprovision: true, DriverOpts: map[string]string{"type": "nfs"}},
			failed + "it is there with other driver options", 1},
		{"other labels", []agent.Volume{local}, acsproto.DockerVolume{Autoprovision: true, Labels: map[string]string{"mine": "no"}},
			failed + "it is there with other labels", 1},
		{"no such driver", nil, acsproto.DockerVolume{Autoprovision: true, Driver: "nfs"},
			failed + `error looking up volume plugin nfs: plugin "nfs" not found`, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				for _, v := range c.have {
					if err := w.engine.CreateVolume(context.Background(), v); err != nil {
						t.Fatal(err)
					}
				}
				w.start()
				defer func() { w.kill() }()
				one := task(1, mounting("a", "app"))
				c.order.Scope = "shared"
				one.Volumes = []acsproto.Volume{{Name: "v", Type: "docker", Docker: &c.order}}
				w.control.Run(one)
				w.expect(one.ARN, c.want)
				w.control.Stop(one.ARN)
				time.Sleep(2 * time.Hour)
				synctest.Wait()
				if n := w.engine.Volumes(); n != c.left {
					t.Errorf("%d volumes are left, want %d: a shared one outlives the task", n, c.left)
				}
			})
		})
	}
}
