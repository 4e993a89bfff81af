package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"berth/internal/access"
	berthapi "berth/internal/api/berth"
	"berth/internal/pki"
	"berth/internal/state/etcd"
)

const membersPath = "/berth/v1/members"

// admission is what a new member gets for its token: all that makes it a replica like the others.
type admission struct {
	Key                   string // the installation's, in hexadecimal
	Authority             json.RawMessage
	Members               []etcd.Member
	Account, Region, Auth string
}

// admitMember trades a token for the admission of a new member. It is asked over TLS with the authority's certificate only.
func (s *server) admitMember(w http.ResponseWriter, r *http.Request) {
	if !fromReplica(r) && (r.TLS == nil || r.TLS.NegotiatedProtocol != joinProtocol) {
		http.Error(w, "members join with `berth server --join`", http.StatusForbidden)
		return
	}
	if h := s.forward(r); h != nil {
		h.ServeHTTP(w, r)
		return
	}
	var in struct{ Token, PeerURL string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<10)).Decode(&in); err != nil || in.PeerURL == "" {
		http.Error(w, "the body is not {\"Token\":\"...\",\"PeerURL\":\"...\"}", http.StatusBadRequest)
		return
	}
	a, err := s.admission(r.Context(), in.Token, in.PeerURL)
	switch {
	case err == nil:
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(a) //nolint:errcheck // the client is gone then
	case errors.Is(err, access.ErrMemberToken), errors.Is(err, etcd.ErrNotClustered):
		http.Error(w, err.Error(), http.StatusForbidden)
	case errors.Is(err, etcd.ErrBusy):
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	default:
		s.log.Error("a member was not let in", "peer", in.PeerURL, "err", err)
		http.Error(w, err.Error(), http.StatusConflict)
	}
}

func (s *server) admission(ctx context.Context, token, peerURL string) (*admission, error) {
	giveBack, err := s.keys.SpendMemberToken(ctx, token)
	if err != nil {
		return nil, err
	}
	members, err := s.backend.AddLearner(ctx, peerURL)
	if err != nil {
		return nil, errors.Join(err, giveBack(context.WithoutCancel(ctx)))
	}
	key, err := os.ReadFile(s.data.path("key"))
	if err != nil {
		return nil, fmt.Errorf("sealing key: %w", err)
	}
	authority, err := s.trust.Load().authority.Encode(s.key)
	if err != nil {
		return nil, err
	}
	s.log.Info("a member joins", "peer", peerURL)
	o := s.options
	return &admission{strings.TrimSpace(string(key)), authority, members, o.account, o.region, o.auth}, nil
}

// joinCluster makes this data directory a new member's.
func (s *server) joinCluster(ctx context.Context) error {
	o := &s.options
	if _, err := os.Stat(s.data.path("etcd")); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s holds a store of its own; a new member starts with an empty data directory", s.data)
	}
	a, err := askAdmission(ctx, o.join, o.token, o.peerURL(), func(why string) { s.log.Info("waiting to be let in", "why", why) })
	if err != nil {
		return fmt.Errorf("join %s: %w", o.join, err)
	}
	if _, err := hex.DecodeString(a.Key); err != nil {
		return fmt.Errorf("join %s: the installation's key: %w", o.join, err)
	}
	if err := s.data.write("key", []byte(a.Key+"\n")); err != nil {
		return err
	}
	if err := s.data.write(authorityFile, a.Authority); err != nil {
		return err
	}
	if err := recall(o.kept(), map[string]string{"account": a.Account, "region": a.Region, "auth": a.Auth}, o.said); err != nil {
		return err
	}
	s.replica.Clustered, s.replica.Join = true, a.Members
	return nil
}

// joinPatience is how long a new member asks to be let in: another one may be joining, or the cluster may just be starting.
const joinPatience = 2 * time.Minute

// askAdmission trades the token at a replica that proves to be of the installation that made it.
func askAdmission(ctx context.Context, at, token, peerURL string, waits func(why string)) (*admission, error) {
	fingerprint, err := access.MemberTokenAuthority(token)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(at, "://") {
		at = "https://" + at
	}
	u, err := url.Parse(at)
	if err != nil || u.Port() == "" {
		return nil, errors.New("the address is not like https://10.0.0.1:3270")
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: pki.Pinned(fingerprint, u.Hostname(), joinProtocol)}}
	defer client.CloseIdleConnections()
	body, err := json.Marshal(map[string]string{"Token": strings.TrimSpace(token), "PeerURL": peerURL})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, joinPatience)
	defer cancel()
	for said := ""; ; {
		a, again, err := askOnce(ctx, client, "https://"+u.Host+membersPath, body)
		if !again {
			return a, err
		}
		if why := err.Error(); why != said {
			waits(why)
			said = why
		}
		if !pauseFor(ctx, 500*time.Millisecond) {
			return nil, err
		}
	}
}

// askOnce reports also whether asking again may help.
func askOnce(ctx context.Context, client *http.Client, to string, body []byte) (_ *admission, again bool, _ error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return nil, false, err
	}
	resp, err := client.Do(r)
	if err != nil {
		return nil, !errors.Is(err, pki.ErrPinned), err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, false, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, resp.StatusCode == http.StatusServiceUnavailable, fmt.Errorf("%s", bytes.TrimSpace(b))
	}
	var a admission
	if err := json.Unmarshal(b, &a); err != nil {
		return nil, false, err
	}
	return &a, false, nil
}

// replicas is the cluster as the API shows it.
type replicas struct{ *server }

func (s replicas) Fingerprint() string { return s.trust.Load().authority.Fingerprint() }

func (s replicas) Members(ctx context.Context) ([]berthapi.Member, error) {
	list, err := s.backend.Members(ctx)
	if errors.Is(err, etcd.ErrNotClustered) {
		return nil, berthapi.ErrNotClustered
	}
	leader, _ := s.backend.Seen()
	out := make([]berthapi.Member, len(list))
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	var asking sync.WaitGroup
	for i, m := range list {
		out[i] = berthapi.Member{Id: strconv.FormatUint(m.ID, 16), Name: m.Name, Role: berthapi.RoleFollower, Address: m.Address, PeerAddress: m.PeerURL}
		switch {
		case m.Name == "":
			out[i].Role = berthapi.RoleNotStarted
		case m.Learner:
			out[i].Role = berthapi.RoleLearner
		case m.Name == leader.Replica:
			out[i].Role = berthapi.RoleLeader
		case !m.Self:
			asking.Go(func() {
				if u, err := url.Parse(m.Address); err != nil || s.forwarder.reachHost(ctx, u.Host) != nil {
					out[i].Role = berthapi.RoleAway
				}
			})
		}
	}
	asking.Wait()
	return out, err
}

func (s replicas) Remove(ctx context.Context, id string) error {
	list, err := s.Members(ctx)
	if err != nil {
		return err
	}
	for _, m := range list {
		if m.Id != id {
			continue
		}
		if m.Role == berthapi.RoleLeader {
			return berthapi.ErrLeads
		}
		n, err := strconv.ParseUint(id, 16, 64)
		if err != nil {
			return berthapi.ErrMember
		}
		err = s.backend.RemoveMember(ctx, n)
		if errors.Is(err, etcd.ErrBusy) {
			return fmt.Errorf("%w: %w", berthapi.ErrUnsettled, err)
		}
		return err
	}
	return berthapi.ErrMember
}

func membersCommand() *cobra.Command {
	c := &cobra.Command{Use: "members", Short: "Show and change the replicas of a clustered control plane"}
	c.AddCommand(membersListCommand(), membersTokenCommand(), membersRemoveCommand())
	return c
}

func membersListCommand() *cobra.Command {
	var data, format string
	c := &cobra.Command{
		Use: "list", Short: "List the replicas", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var out struct {
				Members []struct {
					ID          string `json:"id"`
					Name        string `json:"name"`
					Role        string `json:"role"`
					Address     string `json:"address"`
					PeerAddress string `json:"peerAddress"`
				} `json:"members"`
			}
			if err := callMembers(c, data, "ListMembers", map[string]string{}, &out); err != nil {
				return err
			}
			if format == "json" {
				return json.NewEncoder(c.OutOrStdout()).Encode(out)
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "ID\tROLE\tADDRESS\tPEER ADDRESS\tNAME")
			for _, m := range out.Members {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", m.ID, m.Role, m.Address, m.PeerAddress, m.Name)
			}
			return w.Flush()
		},
	}
	dataFlag(c, &data)
	outputFlag(c, &format)
	return c
}

func membersTokenCommand() *cobra.Command {
	var data, format string
	c := &cobra.Command{
		Use: "token", Short: "Make a one-time token with which another replica joins", Args: cobra.NoArgs,
		Long: "Make a one-time token. On the other machine: berth server --join https://HOST:3270 --token TOKEN. A token is good for one hour and one replica. Whoever has it can become a replica, and read everything.",
		RunE: func(c *cobra.Command, _ []string) error {
			var out struct {
				Token     string  `json:"token"`
				ExpiresAt float64 `json:"expiresAt"`
			}
			if err := callMembers(c, data, "CreateMemberToken", map[string]string{}, &out); err != nil {
				return err
			}
			return printToken(c, format, out.Token, out)
		},
	}
	dataFlag(c, &data)
	outputFlag(c, &format)
	return c
}

func membersRemoveCommand() *cobra.Command {
	var data, format string
	c := &cobra.Command{
		Use: "remove ID", Short: "Remove a replica from the cluster for good", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			var out struct{}
			if err := callMembers(c, data, "RemoveMember", map[string]string{"id": args[0]}, &out); err != nil {
				return err
			}
			if format == "json" {
				return json.NewEncoder(c.OutOrStdout()).Encode(map[string]string{"removed": args[0]})
			}
			fmt.Fprintf(c.OutOrStdout(), "removed %s\n", args[0])
			return nil
		},
	}
	dataFlag(c, &data)
	outputFlag(c, &format)
	return c
}

func callMembers(c *cobra.Command, data, operation string, in, out any) error {
	k, err := openClient(data)
	if err != nil {
		return err
	}
	return k.call(c.Context(), operation, in, out)
}
