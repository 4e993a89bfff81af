package agent

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// InstanceRole is the role of a container instance, with credentials of it. Where there is no instance profile, all is zero; where the profile has no role, what
// is of the role. Without an access key, Code and Message say why, in EC2's words.
type InstanceRole struct {
	ProfileARN, ProfileID string
	Role                  string // name
	Code, Message         string // Success, or why there are no credentials
	Key
	Issued, Expires time.Time
}

// InstanceRoles vends the roles of container instances. The control plane does, to the instance's own key.
type InstanceRoles interface {
	InstanceRole(ctx context.Context, c InstanceConfig) (InstanceRole, error)
}

// How long credentials of an instance's role are kept, of the hours that they are good for, and how long an answer without any; and how long a container waits.
const (
	roleFresh   = time.Hour
	noRoleFresh = 5 * time.Second
	roleTimeout = 4 * time.Second
)

// roleCache keeps the credentials of an instance's role, in memory only.
type roleCache struct {
	one gate // that asks

	mu    sync.Mutex
	role  InstanceRole
	until time.Time          // when the control plane is asked again
	keys  [recentKeys]string // the last access key ids
	next  int                // of keys
}

// recentKeys is how many keys can be good at the same time, by how often they are renewed.
const recentKeys = 8

// errNoInstance says that an instance has left, or that nobody vends roles.
var errNoInstance = errors.New("the container instance has no role")

// InstanceRole is the role of a container instance with credentials that are good for hours yet. While the control plane does not answer, those of before are
// told for as long as they are good.
func (a *Agent) InstanceRole(ctx context.Context, name string) (InstanceRole, error) {
	i := a.instance(name)
	if i == nil || a.InstanceRoles == nil {
		return InstanceRole{}, errNoInstance
	}
	if role, fresh := i.role.kept(time.Now()); fresh {
		return role, nil
	}
	ctx, cancel := context.WithTimeout(ctx, roleTimeout)
	defer cancel()
	if err := i.role.one.enter(ctx); err != nil {
		return InstanceRole{}, err
	}
	defer i.role.one.leave()
	now := time.Now()
	before, fresh := i.role.kept(now)
	if fresh {
		return before, nil
	}
	role, err := a.InstanceRoles.InstanceRole(ctx, i.InstanceConfig)
	if err != nil && before.AccessKeyID != "" && now.Before(before.Expires) {
		i.log.Warn("the credentials of the container instance's role are not renewed", "err", err)
		i.role.keep(before, now.Add(noRoleFresh))
		return before, nil
	}
	if err != nil {
		return InstanceRole{}, err
	}
	life := noRoleFresh
	if role.AccessKeyID != "" {
		life = min(roleFresh, role.Expires.Sub(now)/2)
	}
	i.role.keep(role, now.Add(life))
	return role, nil
}

// kept is what was told last, and whether that is still good.
func (c *roleCache) kept(now time.Time) (InstanceRole, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.role, now.Before(c.until)
}

func (c *roleCache) keep(r InstanceRole, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.AccessKeyID != c.role.AccessKeyID {
		c.keys[c.next%recentKeys] = r.AccessKeyID
		c.next++
	}
	c.role, c.until = r, until
}

// holds says whether a key is one of those that were told lately.
func (c *roleCache) holds(keyID string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return keyID != "" && slices.Contains(c.keys[:], keyID)
}
