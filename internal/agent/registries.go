package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"berth/internal/acsproto"
)

// Registries logs in to registries of images.
type Registries interface {
	// Login is what a registry takes from a task: with a token of ECR's, which its execution role or its container instance gets, or a name and a password that
	// its execution role reads. A *RegistryFault says that it is not to be had. ErrUnavailable: the control plane does not answer, or the role's credentials
	// have not come.
	Login(ctx context.Context, task string, with acsproto.RegistryAuthentication) (Login, error)
	// Forget has a login that a registry did not take not be used again.
	Forget(l Login)
}

// Login is a name and a password for a registry, both "" for none.
type Login struct{ User, Password string }

// RegistryFault says why a login is not to be had. It holds no password.
type RegistryFault struct {
	Secret string // where it was to be read from; "" of a token of ECR's
	Read   bool   // the secret was read, but is no login
	Reason string // AWS's: "AccessDeniedException: User: ..."
}

func (f *RegistryFault) Error() string { return f.text(false) }

// text is ECS's reason: those of the agent, and those of Fargate.
func (f *RegistryFault) text(onFargate bool) string {
	detail := f.Reason
	if f.Secret != "" && !f.Read {
		detail = "asm fetching secret from the service for " + f.Secret + ": " + f.Reason
	}
	switch {
	case onFargate && f.Secret != "":
		return fargateResources + "unable to get registry auth from asm" + fargateTried + detail
	case onFargate:
		return fargateResources + "unable to retrieve ecr registry auth" + fargateTried + detail
	case f.Secret != "":
		return strings.ToUpper(detail[:1]) + detail[1:]
	}
	return "CannotPullECRContainerError: " + detail
}

// checkRegistries refuses registries that this agent does not know how to log in to.
func checkRegistries(r *Record) error {
	for _, c := range r.Task.Containers {
		switch a := c.RegistryAuthentication; {
		case a == nil, a.Type == acsproto.AuthECR && a.ECR != nil, a.Type == acsproto.AuthSecretsManager && a.ASM != nil && a.ASM.CredentialsParameter != "":
		default:
			return fmt.Errorf("container %s: registry authentication %q is not served by this agent", c.Name, a.Type)
		}
	}
	return nil
}

// bring brings a container's image. errGivenUp: the task is on its way to stop.
func (t *task) bring(ctx context.Context, c acsproto.Container) (brought, error) {
	f := fetch{ref: c.Image}
	t.view(func(r *Record) { f.onFargate = fargate(r.Task) })
	with := t.agent.authentication(c)
	if with == nil {
		return t.agent.images.bring(ctx, f)
	}
	f.asked = f.onFargate // what another task has pulled is none of this one's
	l, err := t.login(ctx, *with)
	var fault *RegistryFault
	switch {
	case errors.As(err, &fault) && (f.onFargate || fault.Secret != ""):
		t.give(fault.text(f.onFargate))
		return brought{}, errGivenUp
	case fault != nil:
		f.denied = fault
	case err != nil:
		return brought{}, err
	}
	if with.Type == acsproto.AuthECR && fault == nil {
		f.heard = func(err error) { t.agent.Heard(t.arn, "ecr:BatchGetImage", err) }
	}
	f.login = l
	f.renew = func(ctx context.Context) (Login, error) {
		t.agent.Registries.Forget(l)
		return t.login(ctx, *with)
	}
	return t.agent.images.bring(ctx, f)
}

// authentication is how to log in for a container's image; nil where that is not asked for, or the registry is not the control plane's own: nobody else is
// shown its tokens.
func (a *Agent) authentication(c acsproto.Container) *acsproto.RegistryAuthentication {
	host, _, _ := strings.Cut(c.Image, "/")
	with := c.RegistryAuthentication
	if with == nil || a.Registries == nil || with.Type == acsproto.AuthECR && !a.endpoints.have(host) {
		return nil
	}
	return with
}

// have says whether one of the replicas is at host, with its port.
func (e *endpoints) have(host string) bool {
	for _, one := range e.all {
		if here := hostOf(one); here == host || loopbackPort(here) != "" && loopbackPort(here) == loopbackPort(host) {
			return true
		}
	}
	return false
}

// loopbackPort is the port of a host that is called localhost, or by its address; "" of any other. Further addresses of 127.0.0.0/8 are others' hosts.
func loopbackPort(hostPort string) string {
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil {
		return ""
	}
	address, err := netip.ParseAddr(host)
	if host == "localhost" || err == nil && (address == netip.IPv6Loopback() || address == netip.AddrFrom4([4]byte{127, 0, 0, 1})) {
		return port
	}
	return ""
}

// login tries once to log in. A *RegistryFault says that it is not to be had; other errors are worth another try.
func (t *task) login(ctx context.Context, with acsproto.RegistryAuthentication) (Login, error) {
	limited, cancel := context.WithTimeout(ctx, secretsTimeout)
	defer cancel()
	l, err := t.agent.Registries.Login(limited, t.arn, with)
	if with.Type == acsproto.AuthECR {
		t.agent.Heard(t.arn, "ecr:GetAuthorizationToken", err)
	}
	var fault *RegistryFault
	switch {
	case err == nil, errors.As(err, &fault):
		t.view(func(*Record) {
			t.loggingIn = time.Time{}
			if l.Password != "" && !slices.Contains(t.passwords, l.Password) {
				t.passwords = append(t.passwords, l.Password)
			}
		})
		return l, err
	case ctx.Err() != nil:
		return l, t.unlessStopping(ctx.Err())
	}
	late := false
	t.view(func(*Record) {
		if t.loggingIn.IsZero() {
			t.loggingIn = time.Now()
		}
		late = time.Since(t.loggingIn) >= secretsPatience
	})
	if !late {
		return l, fmt.Errorf("log in to the image's registry: %w", err)
	}
	t.log.Warn("the task did not log in to its image's registry in time", "err", err)
	fault = &RegistryFault{Reason: outOfPatience}
	if with.ASM != nil {
		fault.Secret = with.ASM.CredentialsParameter
	}
	return l, fault
}
