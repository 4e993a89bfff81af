package state

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"berth/internal/ecs"
)

// ErrNotAllUpgraded refuses a write of a record's member, or of a record, that not every replica knows yet.
var ErrNotAllUpgraded = errors.New("not every replica is upgraded yet")

// raise lets the closures know when the replicas have come to know newer records. It returns when the term ends.
func (l *leader) raise(ctx context.Context) {
	for {
		version, err := l.term.Raise(ctx)
		if err != nil {
			return // ctx has ended, or the term has
		}
		select {
		case l.raised <- version:
		case <-ctx.Done():
			return
		}
	}
}

// admit refuses what a closure wrote if a replica does not know it: that replica would lose it, or act without it.
func (l *leader) admit(changes []Change) error {
	if l.version >= ecs.RecordVersion {
		return nil
	}
	for _, c := range changes {
		if c.New == nil {
			continue
		}
		kind := c.New.Kind()
		if ecs.Since(kind) > l.version {
			return fmt.Errorf("write a %s: %w", kind, ErrNotAllUpgraded)
		}
		if member := newer(reflect.ValueOf(c.New), l.version); member != "" {
			return fmt.Errorf("write %s of a %s: %w", member, kind, ErrNotAllUpgraded)
		}
	}
	return nil
}

// newer names a member that is set and that a record version does not have yet, "" if there is none. Only Berth's own types have such tags.
func newer(v reflect.Value, version int) string {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return newer(v.Elem(), version)
		}
	case reflect.Slice:
		for i := range v.Len() {
			if member := newer(v.Index(i), version); member != "" {
				return member
			}
		}
	case reflect.Struct:
		return newerMember(v, version)
	}
	return ""
}

func newerMember(v reflect.Value, version int) string {
	t := v.Type()
	if !strings.HasPrefix(t.PkgPath(), "berth/") {
		return ""
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() || v.Field(i).IsZero() {
			continue
		}
		if since, err := strconv.Atoi(f.Tag.Get("since")); err == nil && since > version {
			return f.Name
		}
		if member := newer(v.Field(i), version); member != "" {
			return f.Name + "." + member
		}
	}
	return ""
}

// abstain says that this replica cannot lead, and waits for ctx: what is stored never gets older.
func (s *Store) abstain(ctx context.Context, why error) {
	s.config.Log.Error("this replica follows but does not lead: start it with a version of Berth that is as new as what wrote the records", "err", why)
	s.unfit.Store(true)
	<-ctx.Done()
}

// Unfit reports whether this replica never leads because the store's records are newer than it knows.
func (s *Store) Unfit() bool { return s.unfit.Load() }
