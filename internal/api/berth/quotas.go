package berth

import (
	"context"

	"berth/internal/frontdoor"
)

// ListQuotasInput asks for the quotas of the replica that leads.
type ListQuotasInput struct{}

// ListQuotasOutput are all quotas, the adjustable ones first.
type ListQuotasOutput struct{ Quotas []Quota }

// Quota is one limit: what holds, ECS's default, and whether an operator can set it.
type Quota struct {
	Name        string
	Value       int32
	Default     int32
	Adjustable  bool
	Description string
}

func (a *API) listQuotas(context.Context, *frontdoor.Request, *ListQuotasInput) (*ListQuotasOutput, error) {
	out := &ListQuotasOutput{}
	for _, q := range a.Quotas.List() {
		out.Quotas = append(out.Quotas, Quota{q.Name, int32(q.Value), int32(q.Default), q.Adjustable, q.Description})
	}
	return out, nil
}
