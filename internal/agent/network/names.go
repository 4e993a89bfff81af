package network

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strings"
)

// The devices of a VPC's namespace that are no task's.
const (
	loopback = "lo"
	wayOut   = "out"   // to the machine
	tunnel   = "vxlan" // to the other machines
)

// taskDevice is what a task's interface is called inside the task.
const taskDevice = "eth0"

// devicePrefix begins the names of the interfaces' ends in their VPC's namespace. No other device there begins so.
const devicePrefix = "eni"

// Where all tasks of a VPC reach the task endpoints and instance metadata. Who is told of the latter, the agent decides.
const (
	endpointAddress = "169.254.170.2"
	metadataAddress = "169.254.169.254"
)

// identifier is what the id of an object may look like: it becomes part of names in the kernel and of paths.
var identifier = regexp.MustCompile(`^(vpc|subnet|sg|eni)-[0-9A-Za-z][0-9A-Za-z-]{0,40}$`)

// installationID is what an installation may be called. It has no dash, so that no name of one begins with a name of another.
var installationID = regexp.MustCompile(`^[0-9A-Za-z]{1,32}$`)

// checkID returns an error that names the field of an id that is none.
func checkID(field, kind, id string) error {
	if !identifier.MatchString(id) || !strings.HasPrefix(id, kind+"-") {
		return fmt.Errorf("%s: %q is not the id of a %s", field, id, kind)
	}
	return nil
}

// device is the name of an interface's end in its VPC's namespace: "eni-0123456789abcdef0" is "eni56789abcdef0". A device's name has 15 characters
// at most.
func device(id string) string {
	id = strings.TrimPrefix(id, "eni-")
	return devicePrefix + id[max(0, len(id)-12):]
}

// names are an installation's names on a machine.
type names struct{ installation string }

func newNames(installation string) (names, error) {
	if !installationID.MatchString(installation) {
		return names{}, errors.New("the installation's id must be 1 to 32 letters and digits")
	}
	return names{installation}, nil
}

// prefix begins the names of the namespaces.
func (n names) prefix() string { return "berth-" + n.installation + "-" }

// namespace is the name of a VPC's network namespace.
func (n names) namespace(vpc string) string { return n.prefix() + vpc }

// vpcOf is the VPC of a namespace of the installation, or "".
func (n names) vpcOf(namespace string) string {
	id, ok := strings.CutPrefix(namespace, n.prefix())
	if !ok || checkID("", "vpc", id) != nil {
		return ""
	}
	return id
}

// table is the name of the machine's nftables table, and of the rules in those of others.
func (n names) table() string { return "berth-" + n.installation }

// prefixOfWays begins the names of the machine's ends of the ways out. Six digits of a hash stand for the installation.
func (n names) prefixOfWays() string { return "be" + digest(n.installation)[:6] }

// way is the name of the machine's end of a VPC's way out.
func (n names) way(vpc string) string { return n.prefixOfWays() + digest(vpc)[:7] }

// gatewayMAC is the MAC of all VPC ends of tasks' interfaces. Each has one neighbour only, so that it may be the same.
func gatewayMAC() net.HardwareAddr { return net.HardwareAddr{0x02, 0xbe, 0, 0, 0, 0x01} }

// tunnelMAC is the MAC of a VPC's VXLAN device on the machine with an address. All machines know it without being told.
func tunnelMAC(host netip.Addr, vpc string) net.HardwareAddr {
	sum := sha256.Sum256([]byte("vxlan " + host.String() + " " + vpc))
	return net.HardwareAddr{0x02, sum[0], sum[1], sum[2], sum[3], sum[4]}
}

// The ways out have addresses of this range, two each, at an even number the machine's end. No VPC may have a CIDR in 169.254.0.0/16, and the machine
// has routes to the single addresses only, so that the rest of the range stays what it is.
const (
	waysBase  = "169.254.64.0"
	waysCount = 1 << 13 // of 169.254.64.0/18
)

// waySlot is where the search for a VPC's addresses begins.
func (n names) waySlot(vpc string) int {
	sum := sha256.Sum256([]byte("way " + n.installation + " " + vpc))
	return (int(sum[0])<<8 | int(sum[1])) % waysCount
}

// wayAddresses are the two ends' addresses of a way.
func wayAddresses(slot int) (machine, vpc netip.Addr) {
	b := netip.MustParseAddr(waysBase).As4()
	n := int(b[2])<<8 + 2*slot
	at := func(n int) netip.Addr { return netip.AddrFrom4([4]byte{b[0], b[1], byte(n >> 8), byte(n)}) }
	return at(n), at(n + 1)
}

// slotOf is the slot of a machine end's address, or -1.
func slotOf(machine netip.Addr) int {
	if !machine.Is4() {
		return -1
	}
	b, a := netip.MustParseAddr(waysBase).As4(), machine.As4()
	n := int(a[2])<<8 + int(a[3]) - int(b[2])<<8
	if a[0] != b[0] || a[1] != b[1] || n < 0 || n >= 2*waysCount || n%2 != 0 {
		return -1
	}
	return n / 2
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
