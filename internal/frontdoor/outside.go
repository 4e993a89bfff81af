package frontdoor

import (
	"net/http"

	"berth/internal/seal"
)

// Outside is a request that comes by another way than AWS's protocols, from a caller who has shown something else than a signature. Its policies are asked as
// anybody's, with the condition keys of every request.
func (d *Door) Outside(r *http.Request, k Key, region string) *Request {
	x := &exchange{door: d, r: r, id: seal.NewUUID(), claim: &claim{region: region}}
	x.is(k)
	return x.request()
}
