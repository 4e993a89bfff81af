package sessions

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"
)

const (
	// mostNames bounds what is read of a container's /etc/hosts and /etc/resolv.conf, in bytes.
	mostNames = 64 << 10
	// askTime is how long a name server may take.
	askTime = 3 * time.Second
)

// resolve finds the address of a host as a process would: by its /etc/hosts and the name servers of its /etc/resolv.conf, from its network namespace.
func resolve(ctx context.Context, pid int, host string) (string, error) {
	if ip := net.ParseIP(host); ip != nil {
		return host, nil
	}
	if address := inHosts(readIn(pid, "etc/hosts"), host); address != "" {
		return address, nil
	}
	err := errors.New("the container has no name server")
	for _, server := range nameServers(readIn(pid, "etc/resolv.conf")) {
		var address string
		if address, err = ask(ctx, pid, server, host); err == nil {
			return address, nil
		}
	}
	return "", fmt.Errorf("look up %s: %w", host, err)
}

// readIn reads a file of a process's root, and no other: the container may have put links there. What cannot be read is empty.
func readIn(pid int, name string) []byte {
	root, err := os.OpenRoot(fmt.Sprintf("/proc/%d/root", pid))
	if err != nil {
		return nil
	}
	defer root.Close()
	f, err := root.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	if about, err := f.Stat(); err != nil || !about.Mode().IsRegular() {
		return nil
	}
	b, err := io.ReadAll(io.LimitReader(f, mostNames))
	if err != nil {
		return nil
	}
	return b
}

// inHosts finds a name in the text of /etc/hosts, "" where it is not there.
func inHosts(text []byte, host string) string {
	for fields := range lines(text) {
		for _, name := range fields[1:] {
			if strings.EqualFold(name, strings.TrimSuffix(host, ".")) && net.ParseIP(fields[0]) != nil {
				return fields[0]
			}
		}
	}
	return ""
}

// nameServers are those of the text of /etc/resolv.conf, three at most, as everybody has it.
func nameServers(text []byte) (servers []string) {
	for fields := range lines(text) {
		if fields[0] == "nameserver" && len(fields) > 1 && net.ParseIP(fields[1]) != nil && len(servers) < 3 {
			servers = append(servers, fields[1])
		}
	}
	return servers
}

// lines are the words of each line that has some, without remarks.
func lines(text []byte) func(yield func([]string) bool) {
	return func(yield func([]string) bool) {
		scanner := bufio.NewScanner(bytes.NewReader(text))
		for scanner.Scan() {
			line, _, _ := strings.Cut(scanner.Text(), "#")
			if fields := strings.Fields(line); len(fields) > 0 && !yield(fields) {
				return
			}
		}
	}
}

// ask asks a name server for a host's IPv4 address.
func ask(ctx context.Context, pid int, server, host string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	conn, err := dialWithin(ctx, pid, "udp", net.JoinHostPort(server, "53"))
	if err != nil {
		return "", err
	}
	defer conn.Close()
	question := new(dns.Msg).SetQuestion(dns.Fqdn(host), dns.TypeA)
	client := dns.Client{Timeout: askTime}
	answer, _, err := client.ExchangeWithConnContext(ctx, question, &dns.Conn{Conn: conn})
	if err != nil {
		return "", err
	}
	for _, record := range answer.Answer {
		if a, ok := record.(*dns.A); ok {
			return a.A.String(), nil
		}
	}
	return "", fmt.Errorf("%s answers %s without an address", server, dns.RcodeToString[answer.Rcode])
}
