package imds

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"berth/internal/agent"
)

// values are what there is to read by its path below the version. What is listed follows from them.
type values map[string]string

// set sets a value that is known.
func (v values) set(path, value string) {
	if value != "" {
		v[path] = value
	}
}

// list is what is in a folder, in order: folders end in a slash. "" is the topmost.
func (v values) list(folder string) (list []string) {
	if folder != "" {
		folder += "/"
	}
	for path := range v {
		rest, in := strings.CutPrefix(path, folder)
		if !in {
			continue
		}
		if name, _, deeper := strings.Cut(rest, "/"); deeper {
			rest = name + "/"
			if folder == "" { // the topmost names have none
				rest = name
			}
		}
		list = append(list, rest)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// values are all but what is of the role.
func (s *Service) values(host agent.Host) values {
	address, mac := s.Machine()
	if a, err := netip.ParseAddr(host.Address); err == nil && !a.IsLoopback() {
		address = a
	}
	ip := ""
	if address.IsValid() {
		ip = address.String()
	}
	v := values{}
	for path, value := range map[string]string{
		"ami-id": host.ImageID, "ami-launch-index": "0", "hostname": s.hostname, "instance-action": "none", "instance-id": host.InstanceID,
		"instance-life-cycle": "on-demand", "instance-type": host.InstanceType, "local-hostname": s.hostname, "local-ipv4": ip, "mac": mac.String(),
		"placement/availability-zone": host.Zone, "placement/region": host.Region, "services/domain": "amazonaws.com", "services/partition": "aws",
	} {
		v.set("meta-data/"+path, value)
	}
	v.addInterface(host, ip, s.hostname, mac)
	v["dynamic/instance-identity/document"] = document(host, ip)
	return v
}

// addInterface adds the one interface of the machine that is told of.
func (v values) addInterface(host agent.Host, ip, hostname string, mac net.HardwareAddr) {
	if len(mac) == 0 {
		return
	}
	at := "meta-data/network/interfaces/macs/" + mac.String() + "/"
	v[at+"device-number"] = "0"
	v.set(at+"mac", mac.String())
	v.set(at+"local-ipv4s", ip)
	v.set(at+"local-hostname", hostname)
	v.set(at+"owner-id", host.Account)
}

const (
	rolePath    = "meta-data/iam"
	listingRole = "meta-data/iam/security-credentials"
)

// addRole adds what is of the instance's role, where the path leads there or lists it.
func (s *Service) addRole(ctx context.Context, v values, host agent.Host, path string) error {
	if path != "" && path != "meta-data" && path != rolePath && !strings.HasPrefix(path, rolePath+"/") {
		return nil
	}
	role, err := s.Source.InstanceRole(ctx, host.Instance)
	if err != nil {
		if path == "" || path == "meta-data" { // all else is listed
			return nil
		}
		return err
	}
	if role.ProfileARN == "" {
		return nil
	}
	v["meta-data/iam/info"] = object("Code", "Success", "LastUpdated", stamp(role.Issued), "InstanceProfileArn", role.ProfileARN, "InstanceProfileId", role.ProfileID)
	if role.Role != "" {
		v[listingRole+"/"+role.Role] = credentials(role)
	}
	return nil
}

// credentials are those of a role, or why there are none.
func credentials(r agent.InstanceRole) string {
	if r.AccessKeyID == "" {
		return object("Code", r.Code, "Message", r.Message, "LastUpdated", stamp(r.Issued))
	}
	return object("Code", "Success", "LastUpdated", stamp(r.Issued), "Type", "AWS-HMAC", "AccessKeyId", r.AccessKeyID, "SecretAccessKey", r.SecretAccessKey,
		"Token", r.SessionToken, "Expiration", stamp(r.Expires))
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// document is the instance identity document. It is not signed: that only AWS can.
func document(h agent.Host, ip string) string {
	return object("accountId", h.Account, "architecture", h.Architecture, "availabilityZone", h.Zone, "billingProducts", "", "devpayProductCodes", "",
		"marketplaceProductCodes", "", "imageId", h.ImageID, "instanceId", h.InstanceID, "instanceType", h.InstanceType, "kernelId", "",
		"pendingTime", stamp(h.RegisteredAt), "privateIp", ip, "ramdiskId", "", "region", h.Region, "version", "2017-09-30")
}

// object is a JSON object of names and texts in their order, spaced as EC2 does. A text that is "" is null.
func object(pairs ...string) string {
	var b strings.Builder
	b.WriteString("{\n")
	for n := 0; n < len(pairs); n += 2 {
		text := []byte("null")
		if pairs[n+1] != "" {
			text, _ = json.Marshal(pairs[n+1]) // texts always marshal
		}
		comma := ","
		if n+2 == len(pairs) {
			comma = ""
		}
		fmt.Fprintf(&b, "  %q : %s%s\n", pairs[n], text, comma)
	}
	b.WriteString("}")
	return b.String()
}
