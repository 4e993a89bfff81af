package network

import (
	"encoding/binary"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// The registers that rules use. The first has room for a device's name, and the second follows it.
const (
	register1 = unix.NFT_REG_1
	register2 = unix.NFT_REG_2
)

// Offsets in an IPv4 header.
const (
	offsetSource      = 12
	offsetDestination = 16
)

// words are the expressions of a rule. Each of the functions below makes some that a packet must satisfy.
type words []expr.Any

func rulePart(parts ...words) (all words) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// from matches packets that come from a device, to those that go to one.
func from(device string) words { return onDevice(expr.MetaKeyIIFNAME, name(device)) }
func to(device string) words   { return onDevice(expr.MetaKeyOIFNAME, name(device)) }

// fromPrefix and toPrefix match devices whose names begin so.
func fromPrefix(prefix string) words { return onDevice(expr.MetaKeyIIFNAME, []byte(prefix)) }
func toPrefix(prefix string) words   { return onDevice(expr.MetaKeyOIFNAME, []byte(prefix)) }

func onDevice(key expr.MetaKey, data []byte) words {
	return words{&expr.Meta{Key: key, Register: register1}, equal(data)}
}

// notTo matches packets that go to no device whose name begins so.
func notTo(prefix string) words {
	w := toPrefix(prefix)
	w[1].(*expr.Cmp).Op = expr.CmpOpNeq
	return w
}

// name is a device's name as the kernel compares it.
func name(device string) []byte {
	b := make([]byte, unix.IFNAMSIZ)
	copy(b, device)
	return b
}

func equal(data []byte) expr.Any { return &expr.Cmp{Op: expr.CmpOpEq, Register: register1, Data: data} }

// established matches packets of connections that were let through, and of what belongs to them.
func established() words { return connection(expr.CtStateBitESTABLISHED | expr.CtStateBitRELATED) }

// connection matches packets in any of the states of connection tracking.
func connection(states uint32) words {
	return words{
		&expr.Ct{Key: expr.CtKeySTATE, Register: register1},
		&expr.Bitwise{SourceRegister: register1, DestRegister: register1, Len: 4, Mask: native(states), Xor: native(0)},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: register1, Data: native(0)},
	}
}

// fromTask matches packets of local interfaces with their true source.
func fromTask() words {
	return words{&expr.Meta{Key: expr.MetaKeyMARK, Register: register1}, &expr.Cmp{Op: expr.CmpOpNeq, Register: register1, Data: native(0)}}
}

// toBridge matches packets that go to a bridge.
func toBridge() words {
	const outputKind = 27 // NFT_META_OIFKIND, which neither library names
	return words{&expr.Meta{Key: outputKind, Register: register1}, equal(name("bridge"))}
}

// notPublished matches packets that still go where they were sent: no rule has sent them elsewhere.
func notPublished() words {
	const destinationNAT = 1 << 5 // IPS_DST_NAT
	return words{
		&expr.Ct{Key: expr.CtKeySTATUS, Register: register1},
		&expr.Bitwise{SourceRegister: register1, DestRegister: register1, Len: 4, Mask: native(destinationNAT), Xor: native(0)},
		&expr.Cmp{Op: expr.CmpOpEq, Register: register1, Data: native(0)},
	}
}

// local matches packets to an address of the namespace's own.
func local() words {
	return words{
		&expr.Fib{Register: register1, FlagDADDR: true, ResultADDRTYPE: true},
		&expr.Cmp{Op: expr.CmpOpEq, Register: register1, Data: native(unix.RTN_LOCAL)},
	}
}

// byProgram matches packets that a program has sent. Those of the kernel's own have no user.
func byProgram() words {
	return words{&expr.Meta{Key: expr.MetaKeySKUID, Register: register1}, &expr.Cmp{Op: expr.CmpOpNeq, Register: register1, Data: native(1<<32 - 1)}}
}

// address loads the source or destination.
func address(offset uint32) expr.Any {
	return &expr.Payload{DestRegister: register1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: 4}
}

// in matches packets whose source or destination is in a range.
func in(offset uint32, p netip.Prefix) words {
	if p.Bits() == 0 {
		return nil
	}
	w := words{address(offset)}
	if p.Bits() < 32 {
		mask := make([]byte, 4)
		binary.BigEndian.PutUint32(mask, ^uint32(0)<<(32-p.Bits()))
		w = append(w, &expr.Bitwise{SourceRegister: register1, DestRegister: register1, Len: 4, Mask: mask, Xor: make([]byte, 4)})
	}
	return append(w, equal(p.Addr().AsSlice()))
}

// notIn matches packets whose source or destination is not in a range.
func notIn(offset uint32, p netip.Prefix) words {
	w := in(offset, p)
	w[len(w)-1].(*expr.Cmp).Op = expr.CmpOpNeq
	return w
}

// is matches packets whose source or destination is an address.
func is(offset uint32, a netip.Addr) words { return in(offset, netip.PrefixFrom(a, 32)) }

// inSet matches packets whose source or destination is in a set, notInSet the others.
func inSet(offset uint32, set string) words {
	return words{address(offset), &expr.Lookup{SourceRegister: register1, SetName: set}}
}
func notInSet(offset uint32, set string) words {
	return words{address(offset), &expr.Lookup{SourceRegister: register1, SetName: set, Invert: true}}
}

// protocol matches packets of a transport protocol, port those of its destination ports, both included.
func protocol(number int) words {
	return words{&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: register1}, equal([]byte{byte(number)})}
}
func port(first, last int32) words {
	load := &expr.Payload{DestRegister: register1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2}
	bytes := func(n int32) []byte { return binary.BigEndian.AppendUint16(nil, uint16(n)) }
	if first == last {
		return words{load, equal(bytes(first))}
	}
	return words{load,
		&expr.Cmp{Op: expr.CmpOpGte, Register: register1, Data: bytes(first)}, &expr.Cmp{Op: expr.CmpOpLte, Register: register1, Data: bytes(last)}}
}

// icmp matches a byte of the ICMP header: the type is at 0, the code at 1.
func icmp(offset uint32, value int32) words {
	return words{&expr.Payload{DestRegister: register1, Base: expr.PayloadBaseTransportHeader, Offset: offset, Len: 1}, equal([]byte{byte(value)})}
}

// byDevice does what a map says for the device that a packet comes from or goes to.
func byDevice(key expr.MetaKey, set string) words {
	return words{&expr.Meta{Key: key, Register: register1}, &expr.Lookup{SourceRegister: register1, DestRegister: unix.NFT_REG_VERDICT, IsDestRegSet: true, SetName: set}}
}

// markSource sets the mark that a map has for the device and the source address. A packet that the map does not have is not matched.
func markSource(set string) words {
	return words{
		&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: register1},
		&expr.Payload{DestRegister: register2, Base: expr.PayloadBaseNetworkHeader, Offset: offsetSource, Len: 4},
		&expr.Lookup{SourceRegister: register1, DestRegister: register1, IsDestRegSet: true, SetName: set},
		&expr.Meta{Key: expr.MetaKeyMARK, SourceRegister: true, Register: register1},
	}
}

// What becomes of a packet that matches.
func accept() words           { return verdict(expr.VerdictAccept, "") }
func drop() words             { return verdict(expr.VerdictDrop, "") }
func jump(chain string) words { return verdict(expr.VerdictJump, chain) }
func masquerade() words       { return words{&expr.Masq{}} }

func verdict(kind expr.VerdictKind, chain string) words {
	return words{&expr.Verdict{Kind: kind, Chain: chain}}
}

func native(n uint32) []byte { return binary.NativeEndian.AppendUint32(nil, n) }

// expressions are those of a clause, for a direction.
func (c clause) expressions(direction string) words {
	if c.jump != "" {
		return jump(c.jump)
	}
	w := words{}
	if c.protocol >= 0 {
		w = append(w, protocol(c.protocol)...)
	}
	switch {
	case c.protocol == protocolICMP:
		for offset, value := range []int32{c.from, c.to} {
			if value >= 0 && c.from >= 0 {
				w = append(w, icmp(uint32(offset), value)...)
			}
		}
	case c.from >= 0:
		w = append(w, port(c.from, c.to)...)
	}
	peer := uint32(offsetSource)
	if direction == mapEgress {
		peer = offsetDestination
	}
	if c.group != "" {
		w = append(w, inSet(peer, c.group)...)
	} else {
		w = append(w, in(peer, c.peer)...)
	}
	return append(w, accept()...)
}

// key and value of an element, as the kernel has them.
func (e element) kernel() nftables.SetElement {
	var k nftables.SetElement
	if e.device != "" {
		k.Key = append(k.Key, name(e.device)...)
	}
	if e.address.IsValid() {
		k.Key = append(k.Key, e.address.AsSlice()...)
	}
	if e.chain != "" {
		k.VerdictData = &expr.Verdict{Kind: expr.VerdictJump, Chain: e.chain}
	}
	if e.mark != 0 {
		k.Val = native(e.mark)
	}
	return k
}
