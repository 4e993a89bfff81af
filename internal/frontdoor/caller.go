package frontdoor

import (
	"net/http"
	"net/url"
	"time"

	"berth/internal/apierr"
	"berth/internal/arn"
)

// identify makes out who the caller is. leaderAsks says that the leader will do so again: then a key that we do not know is no reason
// to refuse, because the leader may know it.
func (x *exchange) identify(service string, leaderAsks bool) *apierr.Error {
	claim, refused := readClaim(x.r, x.query)
	x.claim = claim
	if x.door.config.Auth == AuthDev {
		return x.identifyDev()
	}
	if x.unsigned(refused) {
		x.caller.Account = x.door.config.Account
		return nil
	}
	if refused == nil {
		refused = x.checkClaim(service)
	}
	if refused != nil {
		return refused.answer(x.target.protocol)
	}
	key, ok, err := x.key(leaderAsks)
	switch {
	case err != nil:
		return x.understand(err)
	case !ok && leaderAsks:
		return nil
	case !ok:
		return refuseKey().answer(x.target.protocol)
	}
	if refused = claim.checkToken(key); refused == nil {
		refused = x.door.checkSignature(claim, x.r, x.query, x.body, key)
	}
	if refused == nil && key.expired(time.Now()) {
		refused = refuseExpired()
	}
	if refused != nil {
		return refused.answer(x.target.protocol)
	}
	x.is(key)
	return nil
}

// unsigned reports whether a request without a signature is for an operation that takes such. One with a signature, good or bad, is verified like any other.
func (x *exchange) unsigned(refused *refusal) bool {
	return refused != nil && refused.fault == faultMissing && x.target.call != nil && x.target.call.Unsigned
}

// signs says whether there is something to check a signature with.
func (k Key) signs() bool { return k.Secret != "" || k.Public != nil }

func (k Key) expired(now time.Time) bool { return !k.Expires.IsZero() && !now.Before(k.Expires) }

// is takes a key's holder as the caller.
func (x *exchange) is(k Key) {
	x.caller, x.issued = k.Principal, k.Issued
	if x.caller.Account == "" {
		x.caller.Account = x.door.config.Account
	}
}

// checkClaim is what can be said of a signature without its key.
func (x *exchange) checkClaim(service string) *refusal {
	if f := x.claim.checkTime(time.Now(), x.door.config.Skew); f != nil {
		return f
	}
	if f := x.claim.checkHeaders(x.r); f != nil {
		return f
	}
	return x.claim.checkScope(service)
}

// key finds the caller's key. One that is not there is looked for again once this replica is known to be up to date. A key without a
// secret is none: anybody could sign with it.
func (x *exchange) key(leaderAsks bool) (Key, bool, error) {
	ctx := x.r.Context()
	key, ok := x.door.config.Keys(ctx, x.claim.accessKeyID, x.claim.token)
	if !ok && !leaderAsks {
		if err := x.door.config.Ready(ctx, true); err != nil {
			return Key{}, false, err
		}
		key, ok = x.door.config.Keys(ctx, x.claim.accessKeyID, x.claim.token)
	}
	return key, ok && key.signs(), nil
}

// renew looks again who the caller is, once this replica is known to be up to date: what its key may do can have been changed by the caller's
// last call, at another replica. It reports whether there is somebody.
func (x *exchange) renew() bool {
	if x.door.config.Auth == AuthDev || x.door.config.Ready(x.r.Context(), true) != nil {
		return false
	}
	key, ok := x.door.config.Keys(x.r.Context(), x.claim.accessKeyID, x.claim.token)
	if !ok || !key.signs() || key.expired(time.Now()) {
		return false
	}
	x.is(key)
	return true
}

// identifyDev takes everybody in, but a web page of another site that makes a browser send something is nobody: its visitor has not
// asked for it. (It cannot set an Authorization header without asking first, which we never grant.)
func (x *exchange) identifyDev() *apierr.Error {
	if x.r.Header.Get("Authorization") == "" && crossSite(x.r) {
		return refuseMissing().answer(x.target.protocol)
	}
	x.caller = x.door.config.DevPrincipal
	x.caller.Account = x.door.config.Account
	return nil
}

// crossSite reports whether a browser says that the request comes from a page that is not ours.
func crossSite(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return false
	case "":
		origin := r.Header.Get("Origin")
		u, err := url.Parse(origin)
		return origin != "" && (err != nil || u.Host != r.Host)
	}
	return true
}

// region is the one that the request's signature names.
func (x *exchange) region() string {
	if validRegion(x.claim.region) {
		return x.claim.region
	}
	return x.door.config.Region
}

// request is what an operation or socket learns of the caller.
func (x *exchange) request() *Request {
	return &Request{
		ID: x.id, Scope: arn.Scope{Partition: "aws", Region: x.region(), Account: x.caller.Account},
		Caller: x.caller, AccessKeyID: x.claim.accessKeyID, SessionToken: x.claim.token, Host: x.r.Host, TLS: x.r.TLS != nil, Keys: circumstances{x, time.Now()},
	}
}
