// Package managed holds the managed policies that AWS publishes and that users of ECS attach, with AWS's ARNs, versions and documents. Only the version that
// is in force is here. ReadOnlyAccess names the actions of the services around ECS only, and a policy's id is made of its name: AWS's are not published. Pure.
package managed

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"berth/internal/iam"
)

//go:embed policies/*.json
var files embed.FS

// Prefix is what the ARNs of AWS's managed policies begin with.
const Prefix = "arn:aws:iam::aws:policy"

// Policies are AWS's managed policies by ARN. They are immutable.
type Policies struct {
	byARN map[string]*iam.Policy
	all   []*iam.Policy // by ARN
}

// published is a policy as its file has it.
type published struct {
	Arn        string
	Version    string
	CreateDate time.Time
	UpdateDate time.Time
	Document   json.RawMessage
}

// Load reads the policies. It panics on a file that it cannot read: that is a mistake in the program.
func Load() *Policies {
	entries, err := files.ReadDir("policies")
	if err != nil {
		panic(fmt.Sprintf("managed: %v", err))
	}
	all := &Policies{byARN: map[string]*iam.Policy{}}
	for _, e := range entries {
		p, err := load("policies/" + e.Name())
		if err != nil {
			panic(fmt.Sprintf("managed: %s: %v", e.Name(), err))
		}
		all.byARN[p.Arn] = p
		all.all = append(all.all, p)
	}
	slices.SortFunc(all.all, func(p, q *iam.Policy) int { return strings.Compare(p.Arn, q.Arn) })
	return all
}

func load(file string) (*iam.Policy, error) {
	text, err := files.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	var p published
	if err := json.Unmarshal(text, &p); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	path, ok := strings.CutPrefix(p.Arn, Prefix)
	if !ok {
		return nil, fmt.Errorf("%q is no policy of AWS's", p.Arn)
	}
	var document bytes.Buffer
	if err := json.Indent(&document, p.Document, "", "    "); err != nil {
		return nil, fmt.Errorf("indent: %w", err)
	}
	slash := strings.LastIndexByte(path, '/') + 1
	return &iam.Policy{
		Arn: p.Arn, Name: path[slash:], Path: path[:slash], ID: id(path[slash:]), CreateDate: p.CreateDate, UpdateDate: p.UpdateDate, Default: p.Version,
		Versions: []iam.Version{{ID: p.Version, Document: document.String(), CreateDate: p.UpdateDate}},
	}, nil
}

// id is always the same for a name.
func id(name string) string {
	sum := sha256.Sum256([]byte(name))
	return "ANPA" + base32.StdEncoding.EncodeToString(sum[:])[:17]
}

// Find is the policy with that ARN, nil where there is none. It must not be changed.
func (p *Policies) Find(arn string) *iam.Policy { return p.byARN[arn] }

// All are the policies in the order of their ARNs. They must not be changed.
func (p *Policies) All() []*iam.Policy { return p.all }

// ServiceLinked says whether a policy is only for a service-linked role: nobody but its service attaches it.
func ServiceLinked(p *iam.Policy) bool { return strings.HasPrefix(p.Arn, Prefix+iam.ServiceLinkedPath) }
