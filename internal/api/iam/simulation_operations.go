package iam

import (
	"fmt"
	"slices"
	"strings"

	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/policy"
	"berth/internal/record"
	"berth/internal/state"
)

// simulationOperations are the operations that ask policies what they would say.
func (a *API) simulationOperations() []frontdoor.Operation {
	all := []frontdoor.Operation{
		operation("SimulateCustomPolicy", anything, a.simulateCustomPolicy, "PolicyInputList", "ActionNames"),
		operation("SimulatePrincipalPolicy", onSource, a.simulatePrincipalPolicy, "PolicySourceArn", "ActionNames"),
		operation("GetContextKeysForCustomPolicy", anything, getContextKeysForCustomPolicy, "PolicyInputList"),
		operation("GetContextKeysForPrincipalPolicy", onSource, a.getContextKeysForPrincipalPolicy, "PolicySourceArn"),
	}
	for i := range all {
		all[i].ReadOnly = true
	}
	return all
}

// onSource is the user, group or role whose policies a request asks about.
func onSource(_ *frontdoor.Request, in any) []string {
	if arn := member(in, "PolicySourceArn"); arn != "" {
		return []string{arn}
	}
	return nil
}

// origin says what a simulation calls a policy, and where its text is: for the places of statements.
type origin struct{ name, text string }

// input are policies, with their texts by the names that they have in verdicts.
type input struct {
	sources []policy.Source
	origins map[string]origin
}

func (i *input) add(key, shown, text string, d *policy.Document) {
	if i.origins == nil {
		i.origins = map[string]origin{}
	}
	i.sources = append(i.sources, policy.Source{Name: key, Document: d})
	i.origins[key] = origin{shown, text}
}

// given adds the policies that a request gives in a list.
func (i *input) given(list string, texts []string) error {
	for n, text := range texts {
		name := fmt.Sprintf("%s.%d", list, n+1)
		d, err := policy.Parse(text, policy.Identity)
		if err != nil {
			return invalid("%s is not valid: %s", name, err)
		}
		i.add(name, name, text, d)
	}
	return nil
}

// stored adds a policy that was checked when it was stored.
func (i *input) stored(key, shown, text string) error {
	d, err := policy.Parse(text, policy.Identity)
	if err != nil {
		return fmt.Errorf("read the stored policy %s: %w", key, err)
	}
	i.add(key, shown, text, d)
	return nil
}

// entity adds the policies of a user, group or role.
func (a *API) entity(i *input, t *state.Tables, k kind, e *iam.Entity) error {
	for _, arn := range e.Attached {
		if p := a.lookup(t, e.Account, arn); p != nil {
			if err := i.stored(arn, p.Name, p.Document()); err != nil {
				return err
			}
		}
	}
	for _, p := range e.Inline {
		name := string(k) + "_" + e.Name + "_" + p.Name
		if err := i.stored(name, name, p.Document); err != nil {
			return err
		}
	}
	return nil
}

// source is whose policies are simulated.
type source struct {
	principal policy.Principal
	input     input
	boundary  string // ARN
}

// findSource finds the user, group or role with that ARN, and its policies; a user's are those of its groups as well.
func (a *API) findSource(t *state.Tables, account, arn string) (*source, error) {
	resource, is := strings.CutPrefix(arn, "arn:aws:iam::"+account+":")
	kinds, rest, _ := strings.Cut(resource, "/")
	name := rest[strings.LastIndexByte(rest, '/')+1:]
	k := kind(kinds)
	if !is || name == "" || !slices.Contains([]kind{user, group, role}, k) {
		return nil, invalid("Invalid Entity Arn: %s does not clearly define entity type and name.", arn)
	}
	r, e, err := k.copy(t, account, name)
	if err != nil {
		return nil, err
	}
	if iam.ARN(account, kinds, e.Path, e.Name) != arn {
		return nil, noSuch("The %s with ARN %s cannot be found.", k, arn)
	}
	s := &source{boundary: e.Boundary, principal: policy.Principal{ARN: arn, Account: account, UserID: e.ID, Tags: record.TagMap(e.Tags)}}
	if err := a.entity(&s.input, t, k, e); err != nil {
		return nil, err
	}
	switch r := r.(type) {
	case *iam.Role:
		s.principal.Kind, s.principal.Role = policy.RoleSession, arn
	case *iam.User:
		for _, name := range r.Groups {
			if g := t.Groups.Get(iam.Key(account, name)); g != nil {
				if err := a.entity(&s.input, t, group, &g.Entity); err != nil {
					return nil, err
				}
			}
		}
	}
	return s, nil
}
