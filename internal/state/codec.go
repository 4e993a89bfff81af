package state

import (
	"fmt"
	"reflect"

	"berth/internal/awswire"
	"berth/internal/ecs"
	"berth/internal/vpc"
)

// codec is the one function between records and bytes: JSON in AWS's own member names, so that a value in etcd is readable.
type codec map[ecs.Kind]*awswire.Plan

func newCodec() codec {
	c, compiler := codec{}, awswire.NewCompiler(awswire.LowerCamel)
	for _, k := range vpc.Kinds() {
		c[k] = compiler.Plan(reflect.TypeOf(vpc.New(k)))
	}
	for _, k := range shelved() {
		c[k] = compiler.Plan(reflect.TypeOf(fresh(k)))
	}
	for _, k := range []ecs.Kind{ecs.KindCluster, ecs.KindFamily, ecs.KindDefinition, ecs.KindService, ecs.KindEvent, ecs.KindServiceDeployment, ecs.KindServiceRevision, ecs.KindTask,
		ecs.KindInstance, ecs.KindCredential, ecs.KindJoinToken, ecs.KindClientRequest, ecs.KindSetting,
		ecs.KindAccountSetting, ecs.KindPool, ecs.KindPoolMember} {
		c[k] = compiler.Plan(reflect.TypeOf(ecs.New(k)))
	}
	return c
}

// write is the change as the backend stores it.
func (c codec) write(ch Change) Write {
	r := ch.Record()
	w := Write{Kind: r.Kind(), Key: r.Key()}
	if ch.New != nil {
		w.Value = c[w.Kind].EncodeRecord(r)
	}
	return w
}

// record decodes a stored value. A kind that this version does not know is no error: the record is nil.
func (c codec) record(w Write) (ecs.Record, error) {
	r := ecs.New(w.Kind)
	if r == nil {
		r = vpc.New(w.Kind)
	}
	if r == nil {
		r = fresh(w.Kind)
	}
	if r == nil {
		return nil, nil
	}
	if err := c[w.Kind].DecodeRecord(w.Value, r); err != nil {
		return nil, fmt.Errorf("record %s %s: %w", w.Kind, w.Key, err)
	}
	if r.Key() != w.Key {
		return nil, fmt.Errorf("record %s %s: holds the key %q", w.Kind, w.Key, r.Key())
	}
	return r, nil
}
