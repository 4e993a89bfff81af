package main

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"strconv"

	"github.com/spf13/pflag"

	"berth/internal/agent"
	"berth/internal/agent/imds"
	"berth/internal/agent/machine"
	"berth/internal/agent/redirect"
)

// metadataOptions are the flags of instance metadata.
type metadataOptions struct {
	httpTokens               string
	blockAWSVPC, blockBridge bool
}

// flags adds the flags. What the official agent's environment says is the default.
func (o *metadataOptions) flags(f *pflag.FlagSet) {
	blocked, _ := strconv.ParseBool(os.Getenv("ECS_AWSVPC_BLOCK_IMDS")) //nolint:errcheck // as of the official agent, what is no truth value is false
	f.StringVar(&o.httpTokens, "http-tokens", "required", "of instance metadata: required answers to requests with a token only (IMDSv2), optional to others too")
	f.BoolVar(&o.blockAWSVPC, "awsvpc-block-imds", blocked, "tasks in awsvpc mode get no instance metadata (default: $ECS_AWSVPC_BLOCK_IMDS)")
	f.BoolVar(&o.blockBridge, "block-imds", false, "tasks in bridge mode get no instance metadata")
}

// check refuses what is no value of a flag.
func (o *metadataOptions) check() error {
	if o.httpTokens != "required" && o.httpTokens != "optional" {
		return fmt.Errorf("--http-tokens %q is neither required nor optional", o.httpTokens)
	}
	return nil
}

func (o *metadataOptions) blocks() agent.IMDS {
	return agent.IMDS{BlockAWSVPC: o.blockAWSVPC, BlockBridge: o.blockBridge}
}

// guests is the agent once it is there: containers may ask before.
type guests struct{ *executor }

// HostAt implements imds.Source.
func (g guests) HostAt(ctx context.Context, vpc string, address netip.Addr) (agent.Host, error) {
	if a := g.agent.Load(); a != nil {
		return a.HostAt(ctx, vpc, address)
	}
	return agent.Host{}, agent.ErrNoHost
}

// InstanceRole implements imds.Source.
func (g guests) InstanceRole(ctx context.Context, instance string) (agent.InstanceRole, error) {
	if a := g.agent.Load(); a != nil {
		return a.InstanceRole(ctx, instance)
	}
	return agent.InstanceRole{}, agent.ErrNoHost
}

// service serves instance metadata for the agent's containers, and by way of the machine's other agents for theirs.
func (o *metadataOptions) service(e *executor, table *redirect.Table) func(vpc string) http.Handler {
	s := imds.New(imds.Config{
		Source: guests{e}, Optional: o.httpTokens == "optional", Machine: machine.Address, Key: table.Key(),
		Peers: func() (list []imds.Peer) {
			for _, p := range table.MetadataPeers() {
				list = append(list, imds.Peer{At: p.Metadata, Key: p.Key})
			}
			return list
		},
	})
	return s.Handler
}
