package main

import (
	"slices"
	"testing"
	"time"
)

func said(flags ...string) func(string) bool {
	return func(f string) bool { return slices.Contains(flags, f) }
}

// start is a replica in d with the options as the flags that were said leave them.
func start(t *testing.T, d dataDir, o serverOptions) *server {
	t.Helper()
	s := &server{data: d, options: o}
	if _, err := s.identify(); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestMemberRemembersItsLimits(t *testing.T) {
	d := dataDir(t.TempDir())
	first := start(t, d, serverOptions{
		limits: limits{tasksPerService: 10_000, apiRate: 0, maxConnections: 50}, lostAfter: time.Hour, said: said("tasks-per-service", "api-rate", "max-connections"),
	})
	first.replica.Clustered = true
	if err := first.remember(); err != nil {
		t.Fatal(err)
	}
	again := start(t, d, serverOptions{limits: defaultLimits(), lostAfter: time.Minute, said: said()})
	if got := again.options; got.limits != first.options.limits || got.lostAfter != time.Hour {
		t.Errorf("started again without flags: %+v, %v", got.limits, got.lostAfter)
	}
	other := defaultLimits()
	other.apiRate = 2.5
	third := start(t, d, serverOptions{limits: other, said: said("api-rate")})
	if want := (limits{tasksPerService: 10_000, apiRate: 2.5, maxConnections: 50}); third.options.limits != want {
		t.Errorf("started again with one flag: %+v, want %+v", third.options.limits, want)
	}
}

// A member of a version that did not remember all flags has the others' defaults.
func TestMemberOfAnOlderVersion(t *testing.T) {
	d := dataDir(t.TempDir())
	if err := d.write(replicaFile, []byte(`{"Name":"replica-1","Clustered":true,"Flags":{"region":"eu-west-1"}}`)); err != nil {
		t.Fatal(err)
	}
	s := start(t, d, serverOptions{limits: defaultLimits(), said: said()})
	if s.options.limits != defaultLimits() || s.options.region != "eu-west-1" {
		t.Errorf("%+v", s.options)
	}
	if err := d.write(replicaFile, []byte(`{"Name":"replica-1","Clustered":true,"Flags":{"api-rate":"fast"}}`)); err != nil {
		t.Fatal(err)
	}
	bad := &server{data: d, options: serverOptions{said: said()}}
	if _, err := bad.identify(); err == nil {
		t.Error("a rate that is no number was taken")
	}
}

func TestUpHandsItsLimitsOn(t *testing.T) {
	var in installation
	o := upOptions{limits: limits{tasksPerService: 7000, apiRate: 1}}
	if err := o.keepIn(said("tasks-per-service", "api-rate", "max-connections"), &in); err != nil {
		t.Fatal(err)
	}
	d := dataDir(t.TempDir())
	if err := d.save("berth.json", in); err != nil {
		t.Fatal(err)
	}
	kept, err := d.load()
	if err != nil {
		t.Fatal(err)
	}
	again := upOptions{limits: defaultLimits()}
	if err := again.keepIn(said(), &kept); err != nil {
		t.Fatal(err)
	}
	args, err := (&supervisor{data: d, in: kept, options: again}).serverArgs()
	if err != nil {
		t.Fatal(err)
	}
	for _, flag := range [][2]string{{"--tasks-per-service", "7000"}, {"--api-rate", "1"}, {"--max-connections", "0"}} {
		if !slices.Contains(args, flag[0]+"="+flag[1]) {
			t.Errorf("%v: not in %q", flag, args)
		}
	}
	c := serverCommand()
	if err := c.ParseFlags(args[1:]); err != nil {
		t.Errorf("the server does not take %q: %v", args, err)
	}
}
