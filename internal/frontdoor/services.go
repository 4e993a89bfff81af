package frontdoor

import (
	"fmt"

	"berth/internal/awswire"
)

// service is a Service made ready to serve.
type service struct {
	Service
	calls map[string]*call    // by operation
	known map[string]struct{} // every operation that AWS has
}

// call is an Operation with its plans.
type call struct {
	Operation
	in, out     *awswire.Plan
	service     string // "ecs"
	action      string // "ecs:RunTask"
	tags        func(resource string) map[string]string
	requestTags tagReader // nil where the input has none
	class       class
	rate        *limit // nil without one
}

// services finds what a request is for.
type services struct {
	byTarget  map[string]*service
	byVersion map[string][]*service // query services; several may share a date
}

func compile(table []Service) services {
	s := services{byTarget: map[string]*service{}, byVersion: map[string][]*service{}}
	compilers := map[awswire.Names]*awswire.Compiler{}
	for _, one := range table {
		compiler := func(n awswire.Names) *awswire.Compiler {
			if compilers[n] == nil {
				compilers[n] = awswire.NewCompiler(n)
			}
			return compilers[n]
		}
		in := compiler(one.Names)
		out := in
		if one.Protocol == EC2Query {
			out = compiler(awswire.LowerCamel)
		}
		s.add(one.compile(in, out))
	}
	return s
}

// all are the services, each once.
func (s services) all() (all []*service) {
	for _, one := range s.byTarget {
		all = append(all, one)
	}
	for _, those := range s.byVersion {
		all = append(all, those...)
	}
	return all
}

func (s services) add(one *service) {
	switch one.Protocol {
	case AWSJSON10, AWSJSON11:
		if one.Target == "" || s.byTarget[one.Target] != nil {
			panic(fmt.Sprintf("frontdoor: target %q of %s is empty or taken", one.Target, one.Name))
		}
		s.byTarget[one.Target] = one
	case AWSQuery, EC2Query:
		if one.Version == "" {
			panic("frontdoor: no version of " + one.Name)
		}
		for _, other := range s.byVersion[one.Version] {
			if other.Name == one.Name {
				panic(fmt.Sprintf("frontdoor: %s %s is served twice", one.Name, one.Version))
			}
		}
		s.byVersion[one.Version] = append(s.byVersion[one.Version], one)
	default:
		panic(fmt.Sprintf("frontdoor: %s has protocol %d", one.Name, one.Protocol))
	}
}

func (s Service) compile(in, answers *awswire.Compiler) *service {
	out := &service{Service: s, calls: map[string]*call{}, known: map[string]struct{}{}}
	for _, name := range s.Known {
		out.known[name] = struct{}{}
	}
	for _, o := range s.Operations {
		if _, ok := out.known[o.Name]; !ok || out.calls[o.Name] != nil {
			panic(fmt.Sprintf("frontdoor: %s %s is unknown to AWS or there twice", s.Name, o.Name))
		}
		out.calls[o.Name] = &call{Operation: o, in: in.Plan(o.Input), out: answers.Plan(o.Output), service: s.Name, tags: s.ResourceTags, requestTags: readsTags(o.Input), action: s.Name + ":" + o.Action, class: classOf(o)}
	}
	return out
}

// query finds the query service with that version; of several the one that the caller's credential names, else the first.
func (s services) query(version, name string) *service {
	candidates := s.byVersion[version]
	for _, c := range candidates {
		if c.Name == name {
			return c
		}
	}
	if len(candidates) == 0 {
		return nil
	}
	return candidates[0]
}
