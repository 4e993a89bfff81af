package frontdoor

import (
	"net/http"
	"time"

	"berth/internal/seal"
)

// Outside is a request that comes by another way than AWS's protocols, from a caller who has shown something else than a signature.
type Outside struct {
	*Request
	x *exchange
}

// Outside takes in such a request, for a service's endpoint in a region. Its policies are asked as anybody's, with the condition keys of every request.
// accessKeyID is whose secret was behind what the caller has shown, "" where none was.
func (d *Door) Outside(r *http.Request, accessKeyID string, k Key, region string) Outside {
	x := &exchange{door: d, r: r, id: seal.NewUUID(), start: time.Now(), claim: &claim{region: region, accessKeyID: accessKeyID}}
	x.is(k)
	return Outside{x.request(), x}
}

// Audit tells the audit log what became of the call. It takes of a what the request does not know itself: Service, Operation, In, Out, Failure, Frequent and Size.
func (o Outside) Audit(a Audited) {
	if o.x.door.config.Audit == nil {
		return
	}
	whole := o.x.audited(a.Service, a.Operation, o.Request, a.Failure)
	whole.In, whole.Out, whole.Frequent, whole.Size = a.In, a.Out, a.Frequent, a.Size
	o.x.door.config.Audit(whole)
}
