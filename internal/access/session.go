package access

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"berth/internal/acsproto"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/iam"
	"berth/internal/policy"
	"berth/internal/record"
	"berth/internal/seal"
	"berth/internal/state"
)

// Session is what temporary credentials stand for. It is in their token, sealed: nothing is stored, every replica can read it, and what it may do
// follows from its role or user as they are now.
type Session struct {
	Account  string    `json:"a"`
	Role     string    `json:"r,omitempty"` // key of the role; of GetSessionToken's there is none
	User     string    `json:"u,omitempty"` // key of the user
	ID       string    `json:"i"`           // of the role or user: one that was made anew under the same name is another one
	Name     string    `json:"n,omitempty"` // of the session, or of the federated user
	Issued   time.Time `json:"t"`
	Expires  time.Time `json:"e"`
	Policies []string  `json:"p,omitempty"` // session policies: documents
	Tags     []iam.Tag `json:"g,omitempty"`
	Source   string    `json:"s,omitempty"` // source identity

	Task arn.Task `json:"k,omitempty"` // whose credentials they are: they end with it
	Kind string   `json:"l,omitempty"` // acsproto.TaskApplication or TaskExecution

	Agent   string `json:"c,omitempty"` // access key id of the container instance of whose role it is: it ends with that key
	Managed string `json:"m,omitempty"` // key of the managed instance of whose role it is: it ends with its registration
}

// Temporary are credentials of a session.
type Temporary struct {
	AccessKeyID, SecretAccessKey, SessionToken string
	Expires                                    time.Time
}

// token is what a session token seals.
type token struct {
	Session
	Secret string `json:"x"`
}

// Issue makes credentials for a session.
func (k *Keys) Issue(s Session) (Temporary, error) {
	id, secret := seal.NewSessionKey()
	s.Issued, s.Expires = s.Issued.UTC(), s.Expires.UTC()
	text, err := json.Marshal(token{s, secret})
	if err != nil {
		return Temporary{}, fmt.Errorf("session token: %w", err)
	}
	sealed := base64.StdEncoding.EncodeToString(k.Seal.Seal(string(text), id))
	return Temporary{AccessKeyID: id, SecretAccessKey: secret, SessionToken: sealed, Expires: s.Expires}, nil
}

// mostOpened is how many opened session tokens are kept: those of one replica's callers in a while.
const mostOpened = 10_000

// sessions are the session tokens that were opened before, by access key id.
type sessions struct {
	mu     sync.Mutex
	opened map[string]*openedSession
}

// openedSession is a token that was opened, and what it may do, good for as long as no IAM record changes.
type openedSession struct {
	token
	sealed string
	bounds []*policy.Set // its session policies, after what bounds every session of a user

	mu        sync.Mutex
	moment    *state.Moment
	of        ecs.Record // the container instance's that it is of, nil for none
	principal policy.Principal
	gone      bool // its role or user is not there any more
}

// open returns what a token seals, nil for one that is not ours or not of this key.
func (k *Keys) open(id, sealed string) *openedSession {
	k.sessions.mu.Lock()
	o := k.sessions.opened[id]
	k.sessions.mu.Unlock()
	if o != nil && subtle.ConstantTimeCompare([]byte(o.sealed), []byte(sealed)) == 1 {
		return o
	}
	if o = k.unsealSession(id, sealed); o == nil {
		return nil
	}
	k.sessions.mu.Lock()
	defer k.sessions.mu.Unlock()
	if k.sessions.opened == nil || len(k.sessions.opened) >= mostOpened {
		k.sessions.opened = map[string]*openedSession{}
	}
	k.sessions.opened[id] = o
	return o
}

// unsealSession opens a token, nil where that fails.
func (k *Keys) unsealSession(id, sealed string) *openedSession {
	o := &openedSession{sealed: sealed}
	raw, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return nil
	}
	text, err := k.Seal.Open(raw, id)
	if err != nil || json.Unmarshal([]byte(text), &o.token) != nil {
		return nil
	}
	if o.bounds, err = sessionPolicies(o.Session); err != nil {
		return nil
	}
	if o.Role == "" {
		o.bounds = append([]*policy.Set{ofUserSession(o.Name != "")}, o.bounds...)
	}
	return o
}

// findSession is Find for a temporary key.
func (k *Keys) findSession(id, sealed string) (Holder, bool) {
	o := k.open(id, sealed)
	if o == nil {
		return Holder{}, false
	}
	t := k.State.View().Tables
	if o.Task != "" && over(t.Tasks.Get(o.Task), o.Kind) {
		return Holder{}, false
	}
	of, there := holder(t, o.Session)
	if !there {
		return Holder{}, false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.moment != t.Identities() || o.of != of || o.principal.ARN == "" {
		o.principal, o.gone = k.sessionPrincipal(t, o)
		o.moment, o.of = t.Identities(), of
	}
	if o.gone {
		return Holder{}, false
	}
	return Holder{Secret: o.Secret, SessionToken: sealed, Expires: o.Expires, Issued: o.Issued, Principal: o.principal}, true
}

// holder is the record of the machine that a session is of, nil for one of none. there is false where that is gone.
func holder(t *state.Tables, s Session) (of ecs.Record, there bool) {
	switch {
	case s.Agent != "":
		c := t.Credentials.Get(s.Agent)
		return c, c != nil
	case s.Managed != "":
		m := t.ManagedInstances.Get(s.Managed)
		return m, m != nil
	}
	return nil, true
}

// over reports whether a task's credentials are good no longer: those of its role when it has stopped; those that its agent sends its last logs with,
// when it is forgotten.
func over(t *ecs.Task, kind string) bool {
	return t == nil || kind == acsproto.TaskApplication && t.Over()
}

// sessionPrincipal is who holds a session now; gone where its role or user is not the one any more that it was issued for.
func (k *Keys) sessionPrincipal(t *state.Tables, o *openedSession) (p policy.Principal, gone bool) {
	if o.Role == "" {
		u := t.Users.Get(o.User)
		if u == nil || u.ID != o.ID {
			return p, true
		}
		p = k.userPrincipal(t, u)
		if o.Name != "" {
			p.ARN, p.UserID, p.Tags = "arn:aws:sts::"+u.Account+":federated-user/"+o.Name, u.Account+":"+o.Name, nil
		}
		p.Grants = bounded(p.Grants, o.bounds)
		return p, false
	}
	r := t.Roles.Get(o.Role)
	if r == nil || r.ID != o.ID {
		return p, true
	}
	bounds := o.bounds
	if o.Agent != "" || o.Managed != "" {
		own, there := k.machineBound(t, o.Session)
		if !there {
			return p, true
		}
		bounds = []*policy.Set{own}
	}
	p = k.rolePrincipal(t, r, o.Name)
	p.Managed, p.Tags, p.Grants = o.Managed, record.TagMap(r.Tags, o.Tags), bounded(p.Grants, bounds)
	return p, false
}

// ofUserSession bounds the sessions of users, which are without MFA: as on AWS, those of GetSessionToken call nothing of IAM, and of STS AssumeRole only; those of GetFederationToken
// not even that. Everybody may ask GetCallerIdentity.
func ofUserSession(federated bool) *policy.Set {
	all := []string{"*"}
	statements := []policy.Statement{{Effect: policy.Allow, NotActions: []string{"iam:*", "sts:*"}, Resources: all}}
	if !federated {
		statements = append(statements, policy.Statement{Effect: policy.Allow, Actions: []string{"sts:AssumeRole"}, Resources: all})
	}
	return policy.Compile(policy.Source{Name: "what sessions of users may do", Document: &policy.Document{Version: policy.Version2012, Statements: statements}})
}

// rolePrincipal is a session of a role.
func (k *Keys) rolePrincipal(t *state.Tables, r *iam.Role, session string) policy.Principal {
	return policy.Principal{
		ARN: "arn:aws:sts::" + r.Account + ":assumed-role/" + r.Name + "/" + session, Account: r.Account, UserID: r.ID + ":" + session,
		Role: r.ARN(), Kind: policy.RoleSession, Tags: record.TagMap(r.Tags), Grants: k.roleGrants(t, r),
	}
}

// bounded are grants that session policies bound too.
func bounded(g *policy.Grants, bounds []*policy.Set) *policy.Grants {
	if len(bounds) == 0 {
		return g
	}
	n := *g
	n.Session = bounds
	return &n
}
