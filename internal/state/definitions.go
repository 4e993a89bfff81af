package state

import (
	"iter"

	"berth/internal/arn"
	"berth/internal/ecs"
)

// Definitions are the task definitions, also in the order of family and revision.
type Definitions struct {
	Table[arn.TaskDefinition, ecs.TaskDefinition]
	byRevision index[ecs.TaskDefinition]
}

func newDefinitions() Definitions {
	return Definitions{byRevision: newIndex(func(a, b *ecs.TaskDefinition) bool {
		x, y := a.ARN(), b.ARN()
		fx, fy := familyKey(x), familyKey(y)
		if fx != fy {
			return fx < fy
		}
		return x.Revision() < y.Revision()
	})}
}

func familyKey(d arn.TaskDefinition) string { return ecs.FamilyKey(arn.ScopeOf(d), d.Family()) }

func (d *Definitions) copy() Definitions { return Definitions{d.Table.copy(), d.byRevision.copy()} }

func (d *Definitions) swap(key string, r *ecs.TaskDefinition) *ecs.TaskDefinition {
	old := d.Table.swap(key, r)
	d.byRevision.move(old, r, func(*ecs.TaskDefinition) bool { return true })
	return old
}

// Family yields the revisions of a family, the newest first.
func (d *Definitions) Family(scope arn.Scope, family string) iter.Seq[*ecs.TaskDefinition] {
	last := scope.TaskDefinition(family, 1<<31-1)
	pivot := &ecs.TaskDefinition{}
	text := string(last)
	pivot.Definition.TaskDefinitionArn = &text
	key := familyKey(last)
	return func(yield func(*ecs.TaskDefinition) bool) {
		d.byRevision.tree.Descend(pivot, func(r *ecs.TaskDefinition) bool {
			return familyKey(r.ARN()) == key && yield(r)
		})
	}
}

// Latest is the newest ACTIVE revision of a family, nil if there is none.
func (d *Definitions) Latest(scope arn.Scope, family string) *ecs.TaskDefinition {
	for r := range d.Family(scope, family) {
		if string(r.Definition.Status) == ecs.Active {
			return r
		}
	}
	return nil
}

// InOrder yields every revision of an account and region in the order of family and revision.
func (d *Definitions) InOrder(scope arn.Scope) iter.Seq[*ecs.TaskDefinition] {
	return func(yield func(*ecs.TaskDefinition) bool) {
		d.byRevision.tree.Scan(func(r *ecs.TaskDefinition) bool {
			return arn.ScopeOf(r.ARN()) != scope || yield(r)
		})
	}
}
