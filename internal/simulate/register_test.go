package simulate

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"berth/internal/apierr"
)

func TestRegistration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlane(t)
		f := p.fleet(t, Config{Instances: 7, Zones: 2})
		if f.Registered.Load() != 7 || p.registrations() != 7 {
			t.Errorf("%d registered, the plane has %d", f.Registered.Load(), p.registrations())
		}
		known, zones := map[string]bool{}, map[string]int{}
		for _, i := range f.instances {
			known[i.known()] = true
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, in := range p.offers {
			resources, attributes := map[string]int32{}, map[string]string{}
			for _, r := range in.TotalResources {
				resources[*r.Name] = r.IntegerValue
			}
			for _, a := range in.Attributes {
				attributes[*a.Name] = aws.ToString(a.Value)
			}
			zones[attributes["ecs.availability-zone"]]++
			if _, pulls := attributes["com.amazonaws.ecs.capability.docker-remote-api.1.21"]; resources["CPU"] != 1024 || resources["MEMORY"] != 2048 || *in.Cluster != "demo" || !pulls {
				t.Fatalf("%v %v", resources, attributes)
			}
		}
		if len(known) != 7 || zones["us-east-1a"] != 4 || zones["us-east-1b"] != 3 {
			t.Errorf("%d ARNs, zones %v", len(known), zones)
		}
		f.api.CloseIdleConnections()
	})
}

func TestRegisterInsists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlane(t)
		joins, refusals := 0, 0
		p.refusing(func(operation string) error {
			switch refusals++; refusals {
			case 1:
				return apierr.New("ThrottlingException", "Rate exceeded")
			case 2:
				return errBroken
			}
			return nil
		})
		f := p.fleet(t, Config{Instances: 1, Join: func(context.Context) (string, string, error) {
			if joins++; joins == 1 {
				return "", "", errors.New("no answer")
			}
			return "AKIAFLEET0000001", "secret of AKIAFLEET0000001", nil
		}})
		if joins != 2 || refusals != 3 || f.Throttled.Load() != 1 || f.Errors.Load() != 1 || f.Registered.Load() != 1 {
			t.Errorf("%d joins, %d calls, %d throttled, %d errors, %d registered", joins, refusals, f.Throttled.Load(), f.Errors.Load(), f.Registered.Load())
		}
	})
}

func TestRegisterGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlane(t)
		for name, answer := range map[string]error{"a refusal": apierr.InvalidParameter("no"), "the end": errBroken} {
			p.refusing(func(string) error { return answer })
			f := New(Config{Instances: 1, Endpoint: "http://berth", Region: "us-east-1", Dial: p.net.Dial, Join: func(context.Context) (string, string, error) {
				return "AKIAFLEET0000001", "secret of AKIAFLEET0000001", nil
			}})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			began := time.Now()
			err := f.Register(ctx)
			cancel()
			if took := time.Since(began); err == nil || (name == "the end") != (took == time.Minute) {
				t.Errorf("%s: %v after %s", name, err, took)
			}
			f.api.CloseIdleConnections()
		}
	})
}

// A wrong secret is refused by the front door, so what these tests see was signed.
func TestSignatureCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlane(t)
		f := New(Config{Instances: 1, Endpoint: "http://berth", Region: "us-east-1", Dial: p.net.Dial, Join: func(context.Context) (string, string, error) {
			return "AKIAFLEET0000001", "a guess", nil
		}})
		var e *apiError
		if err := f.Register(t.Context()); !errors.As(err, &e) || e.Status/100 != 4 || p.registrations() != 0 {
			t.Errorf("%v", err)
		}
		f.api.CloseIdleConnections()
	})
}
