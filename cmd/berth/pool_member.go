package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"berth/internal/agent"
	berthapi "berth/internal/api/berth"
	"berth/internal/provider"
)

// The members of the pool on the machine of `berth up` are instances of its one agent, which takes them in and lets them go at a unix socket. The instance
// provider of such a machine is this very program.

// memberOrder is what the provider's environment says of a member.
type memberOrder struct {
	ID, Zone, Token, Server string
	CPUUnits, MemoryMiB     int64
}

func poolMemberCommand() *cobra.Command {
	var data string
	c := &cobra.Command{
		Use: "pool-member launch|terminate|list", Short: "The instance provider of the local Fargate pool", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			d, err := existing(data)
			if err != nil {
				return err
			}
			return askForMember(c.Context(), d, args[0], c.OutOrStdout())
		},
	}
	dataFlag(c, &data)
	return c
}

// askForMember asks the agent.
func askForMember(ctx context.Context, d dataDir, verb string, out io.Writer) error {
	number := func(name string) int64 { n, _ := strconv.ParseInt(os.Getenv(name), 10, 64); return n } //nolint:errcheck // the agent refuses 0
	body, err := json.Marshal(memberOrder{
		ID: os.Getenv("BERTH_MEMBER_ID"), Zone: os.Getenv("BERTH_ZONE"), Token: os.Getenv("BERTH_TOKEN"), Server: os.Getenv("BERTH_SERVER"),
		CPUUnits: number("BERTH_CPU"), MemoryMiB: number("BERTH_MEMORY"),
	})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://agent/"+verb, bytes.NewReader(body))
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", d.path(memberSocket))
	}}}
	resp, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("the agent of this machine does not answer: %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	switch {
	case err != nil:
		return err
	case resp.StatusCode == http.StatusInsufficientStorage:
		fmt.Fprintln(os.Stderr, string(bytes.TrimSpace(text)))
		os.Exit(provider.ExitNoCapacity)
	case resp.StatusCode != http.StatusOK:
		return errors.New(string(bytes.TrimSpace(text)))
	}
	_, err = out.Write(text)
	return err
}

// memberSocket is where the agent takes members in, and membersFile what it remembers of them.
const (
	memberSocket = "members.sock"
	membersFile  = "members.json"
)

// localMembers are the members that the agent knew when it ended.
func localMembers(d dataDir) (list []localInstance, err error) {
	if err := d.read(membersFile, &list); err != nil && !errors.Is(err, unix.ENOENT) {
		return nil, fmt.Errorf("members of the pool: %w", err)
	}
	return list, nil
}

// poolMembers are the local members of the pool.
type poolMembers struct {
	data  dataDir
	agent *agent.Agent

	mu   sync.Mutex
	list []localInstance
}

// errFull says that the machine has no room for another member.
var errFull = errors.New("no capacity: this machine has no more room for members of the pool")

// serveMembers takes members in and lets them go until ctx ends.
func serveMembers(ctx context.Context, d dataDir, a *agent.Agent, log *slog.Logger) error {
	list, err := localMembers(d)
	if err != nil {
		return err
	}
	m := &poolMembers{data: d, agent: a, list: list}
	if err := os.Remove(d.path(memberSocket)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	l, err := net.Listen("unix", d.path(memberSocket))
	if err != nil {
		return fmt.Errorf("members of the pool: %w", err)
	}
	if err := os.Chmod(d.path(memberSocket), 0o600); err != nil {
		l.Close()
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /launch", m.answer(log, m.launch))
	mux.HandleFunc("POST /terminate", m.answer(log, m.terminate))
	mux.HandleFunc("POST /list", func(w http.ResponseWriter, _ *http.Request) {
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, i := range m.list {
			fmt.Fprintln(w, i.Member)
		}
	})
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() { s.Close() }) //nolint:errcheck // it ends either way
	defer stop()
	if err := s.Serve(l); ctx.Err() == nil {
		return err
	}
	return ctx.Err()
}

func (m *poolMembers) answer(log *slog.Logger, do func(context.Context, memberOrder) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var o memberOrder
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&o)
		if err == nil {
			err = provider.CheckID(o.ID)
		}
		if err == nil {
			m.mu.Lock()
			err = do(r.Context(), o)
			m.mu.Unlock()
		}
		switch {
		case errors.Is(err, errFull):
			http.Error(w, err.Error(), http.StatusInsufficientStorage)
		case err != nil:
			log.Warn("member of the pool", "member", o.ID, "err", err)
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}
}

// launch takes a member in: it joins with its token, is written down, and runs.
func (m *poolMembers) launch(ctx context.Context, o memberOrder) error {
	if slices.ContainsFunc(m.list, func(i localInstance) bool { return i.Member == o.ID }) {
		return nil
	}
	if err := m.room(o); err != nil {
		return err
	}
	key, err := berthapi.Trade(ctx, o.Server, o.Token)
	if err != nil {
		return err
	}
	i := localInstance{
		Name: "pool-" + o.ID, Cluster: key.Cluster, CPUUnits: o.CPUUnits, MemoryMiB: o.MemoryMiB, Zone: o.Zone, Member: o.ID,
		AccessKey: key.AccessKeyID, SecretKey: key.SecretAccessKey,
	}
	if err := m.data.save(membersFile, append(slices.Clone(m.list), i)); err != nil {
		return err
	}
	m.list = append(m.list, i)
	return m.agent.Join(ctx, i.config())
}

// room checks that the machine has room for one more member: they share it as if they had it for themselves.
func (m *poolMembers) room(o memberOrder) error {
	size, err := localPoolSize()
	if err != nil {
		return err
	}
	cpu, mib := int64(size.CPUUnits), int64(size.MemoryMiB)
	if o.CPUUnits <= 0 || o.MemoryMiB <= 0 {
		return errors.New("a member has a size")
	}
	for _, i := range m.list {
		cpu -= i.CPUUnits
		mib -= i.MemoryMiB
	}
	if o.CPUUnits > cpu || o.MemoryMiB > mib {
		return errFull
	}
	return nil
}

// terminate lets a member go.
func (m *poolMembers) terminate(ctx context.Context, o memberOrder) error {
	at := slices.IndexFunc(m.list, func(i localInstance) bool { return i.Member == o.ID })
	if at < 0 {
		return nil
	}
	if err := m.agent.Leave(ctx, m.list[at].Name); err != nil {
		return err
	}
	list := slices.Delete(slices.Clone(m.list), at, at+1)
	if err := m.data.save(membersFile, list); err != nil {
		return err
	}
	m.list = list
	return nil
}
