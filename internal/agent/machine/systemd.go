package machine

import (
	"context"
	"errors"
	"fmt"

	sd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"
)

// systemd makes slices over D-Bus.
type systemd struct{}

// What systemd calls its answers.
const (
	unitExists = "org.freedesktop.systemd1.UnitExists"
	noSuchUnit = "org.freedesktop.systemd1.NoSuchUnit"
)

// Set implements slices.
func (systemd) Set(ctx context.Context, name string, l limits) error {
	conn, err := sd.NewSystemConnectionContext(ctx)
	if err != nil {
		return fmt.Errorf("reach systemd: %w", err)
	}
	defer conn.Close()
	done := make(chan string, 1)
	start := append([]sd.Property{property("DefaultDependencies", false), property("Description", "containers of an ECS task")}, properties(l)...)
	switch _, err := conn.StartTransientUnitContext(ctx, name, "replace", start, done); {
	case named(err, unitExists):
		if err := conn.SetUnitPropertiesContext(ctx, name, true, properties(l)...); err != nil {
			return fmt.Errorf("set the limits of %s: %w", name, err)
		}
		return nil
	case err != nil:
		return fmt.Errorf("start %s: %w", name, err)
	}
	return awaited(ctx, done, "start", name)
}

// Stop implements slices.
func (systemd) Stop(ctx context.Context, name string) error {
	conn, err := sd.NewSystemConnectionContext(ctx)
	if err != nil {
		return fmt.Errorf("reach systemd: %w", err)
	}
	defer conn.Close()
	done := make(chan string, 1)
	switch _, err := conn.StopUnitContext(ctx, name, "replace", done); {
	case named(err, noSuchUnit):
		return nil
	case err != nil:
		return fmt.Errorf("stop %s: %w", name, err)
	}
	return awaited(ctx, done, "stop", name)
}

// awaited waits for the result of a job.
func awaited(ctx context.Context, done <-chan string, what, name string) error {
	select {
	case result := <-done:
		if result != "done" {
			return fmt.Errorf("%s %s: systemd says %q", what, name, result)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s %s: %w", what, name, ctx.Err())
	}
}

// properties are the limits as systemd takes them: the weight on v2's scale and the quota in a second.
func properties(l limits) []sd.Property {
	const none = ^uint64(0)
	quota, memory, swap := none, none, none
	if l.quota > 0 {
		quota = uint64(l.quota) * (1_000_000 / period)
	}
	if l.memory > 0 {
		memory = uint64(l.memory)
	}
	if l.noSwap {
		swap = 0
	}
	return []sd.Property{property("CPUWeight", uint64(l.weight())), property("CPUQuotaPerSecUSec", quota), property("MemoryMax", memory),
		property("MemorySwapMax", swap)}
}

func property(name string, value any) sd.Property {
	return sd.Property{Name: name, Value: dbus.MakeVariant(value)}
}

func named(err error, name string) bool {
	var e dbus.Error
	return errors.As(err, &e) && e.Name == name
}
