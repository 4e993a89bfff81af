package endpoint

import (
	"context"
	"net/http"
)

// InVPC is a request that comes in on a listener in a VPC.
func InVPC(r *http.Request, vpc string) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), vpcKey{}, vpc))
}
