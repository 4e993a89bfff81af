package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"

	"berth/internal/access"
	berthapi "berth/internal/api/berth"
	"berth/internal/arn"
)

// join trades a one-time token for a container instance's credential. The token is all that it asks for.
func (s *server) join(w http.ResponseWriter, r *http.Request) {
	if h := s.forward(r); h != nil {
		h.ServeHTTP(w, r)
		return
	}
	var in struct{ Token string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<10)).Decode(&in); err != nil {
		http.Error(w, "the body is not {\"Token\":\"...\"}", http.StatusBadRequest)
		return
	}
	c, secret, err := s.keys.Join(r.Context(), in.Token)
	if errors.Is(err, access.ErrToken) {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	if err != nil {
		s.log.Error("join", "err", err)
		http.Error(w, "the control plane could not do this now; try again", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(berthapi.Joined{
		AccessKeyID: c.AccessKeyID, SecretAccessKey: secret, Cluster: string(c.Cluster), Region: cmp.Or(arn.ScopeOf(c.Cluster).Region, s.options.region),
	}) //nolint:errcheck // the client is gone then
}
