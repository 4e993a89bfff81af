package ecs

import (
	"slices"
	"strings"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
)

// linuxCapabilities are the capabilities that ECS lets a container have or takes from it.
const linuxCapabilities = "ALL AUDIT_CONTROL AUDIT_WRITE BLOCK_SUSPEND CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE " +
	"LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE NET_BROADCAST NET_RAW SETFCAP SETGID SETPCAP SETUID SYS_ADMIN SYS_BOOT " +
	"SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG SYSLOG WAKE_ALARM"

// mountOptions are those of a tmpfs. Some take a value, as in "mode=1777"; the size has a member of its own.
const mountOptions = "defaults ro rw suid nosuid dev nodev exec noexec sync async dirsync remount mand nomand atime noatime diratime nodiratime bind rbind " +
	"unbindable runbindable private rprivate shared rshared slave rslave relatime norelatime strictatime nostrictatime mode uid gid nr_inodes nr_blocks mpol"

func containerLinux(_ *awsecs.RegisterTaskDefinitionInput, c *types.ContainerDefinition) error {
	l := c.LinuxParameters
	if l == nil {
		return nil
	}
	fault := func(what string) error {
		return apierr.ClientException("Invalid 'linuxParameters' setting for container '%s': %s.", *c.Name, what)
	}
	if k := l.Capabilities; k != nil {
		for _, name := range slices.Concat(k.Add, k.Drop) {
			if !slices.Contains(strings.Fields(linuxCapabilities), name) {
				return fault("unknown capability '" + name + "'")
			}
		}
	}
	for _, m := range l.Tmpfs {
		if !strings.HasPrefix(text(m.ContainerPath), "/") || m.Size < 1 {
			return fault("a tmpfs needs an absolute containerPath and a size of at least 1 MiB")
		}
		for _, o := range m.MountOptions {
			if name, _, _ := strings.Cut(o, "="); !slices.Contains(strings.Fields(mountOptions), name) || strings.Contains(o, ",") {
				return fault("unknown mount option '" + o + "' of a tmpfs")
			}
		}
	}
	for _, d := range l.Devices {
		if blank(d.HostPath) {
			return fault("the hostPath of a device should not be null or empty")
		}
		if err := validateEnums("linuxParameters.devices.permissions", d.Permissions); err != nil {
			return clientException(err)
		}
	}
	switch {
	case outside(l.Swappiness, 0, 100):
		return fault("swappiness must be between 0 and 100")
	case number(l.MaxSwap) < 0:
		return fault("maxSwap must not be negative")
	case l.SharedMemorySize != nil && *l.SharedMemorySize < 1:
		return fault("sharedMemorySize must be at least 1 MiB")
	}
	return nil
}
