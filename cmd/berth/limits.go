package main

import "github.com/spf13/pflag"

// limits are the flags that bound what is asked of the control plane. `berth server` has them, and `berth up`, which hands them on.
type limits struct {
	tasksPerService int
	apiRate         float64
	maxConnections  int64
	quotas          quotas
	audit           auditOptions
}

// limitFlags defines the flags. What l has already is their default.
func (l *limits) limitFlags(f *pflag.FlagSet) {
	f.IntVar(&l.tasksPerService, "tasks-per-service", l.tasksPerService, "quota: the greatest desired count of a service")
	f.Var(&l.quotas, "quota", "another quota: clusters, services-per-cluster or container-instances-per-cluster, and its value; may be given again")
	f.Float64Var(&l.apiRate, "api-rate", l.apiRate, "how many times the request rates of ECS one access key may call; 1 is ECS's own, 0 no limit")
	f.Int64Var(&l.maxConnections, "max-connections", l.maxConnections, "connections that may be open at the same time; 0 no limit")
	l.audit.flags(f)
}

func defaultLimits() limits {
	return limits{tasksPerService: 5000, apiRate: 100, maxConnections: 30_000, audit: defaultAudit()}
}

// recall sets the options behind f that were not said now to what was remembered of them.
func recall(f *pflag.FlagSet, flags map[string]string, said func(flag string) bool) (err error) {
	f.VisitAll(func(one *pflag.Flag) {
		if v, ok := flags[one.Name]; ok && !said(one.Name) && err == nil {
			err = f.Set(one.Name, v)
		}
	})
	return err
}

// asText are the options behind f as they are now.
func asText(f *pflag.FlagSet) map[string]string {
	out := map[string]string{}
	f.VisitAll(func(one *pflag.Flag) { out[one.Name] = one.Value.String() })
	return out
}
