// Package apierr holds AWS's error words: every error that an API answers is made here.
package apierr

import (
	"errors"
	"fmt"
)

// Error is an error with two faces: Code, Message and Status are what the caller sees; the cause is for the log.
type Error struct {
	Code    string // AWS's bare type name, "ClusterNotFoundException"
	Message string // AWS's text, and it names the field
	Status  int    // HTTP status
	// ResourceIDs is the one member that an error of ECS has besides: what the tasks of the request are that a ConflictException is about.
	ResourceIDs []string
	cause       error
}

func (e *Error) Error() string {
	if e.cause != nil {
		return e.Code + ": " + e.Message + ": " + e.cause.Error()
	}
	return e.Code + ": " + e.Message
}

func (e *Error) Unwrap() error { return e.cause }

// Fault is "Sender" for the caller's mistakes and "Receiver" for ours, as query services say.
func (e *Error) Fault() string {
	if e.Status >= 500 {
		return "Receiver"
	}
	return "Sender"
}

// Because returns a copy of e that keeps cause for the log.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// New returns a sender's error with HTTP status 400.
func New(code, format string, args ...any) *Error {
	if len(args) > 0 {
		format = fmt.Sprintf(format, args...)
	}
	return &Error{Code: code, Message: format, Status: 400}
}

// As finds the API error in err's chain. An error without one is a fault of ours: a ServerException that hides its text.
func As(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return Server(err)
}

// Server hides err behind AWS's text for an internal fault.
func Server(err error) *Error {
	return &Error{Code: "ServerException", Message: "Service Unavailable. Please try again later.", Status: 500, cause: err}
}

// Unavailable says in words what keeps this installation from doing the work now (no leader, no space).
func Unavailable(format string, args ...any) *Error {
	e := New("ServerException", format, args...)
	e.Status = 503
	return e
}

// ClientException is ECS's error for an action that cannot be done with what the caller named.
func ClientException(format string, args ...any) *Error {
	return New("ClientException", format, args...)
}

// InvalidParameter is ECS's error for a parameter that is not valid for the operation.
func InvalidParameter(format string, args ...any) *Error {
	return New("InvalidParameterException", format, args...)
}

// ClusterNotFound says that the request names a cluster that does not exist.
func ClusterNotFound() *Error { return New("ClusterNotFoundException", "Cluster not found.") }

// ClusterInactive says that the cluster was deleted.
func ClusterInactive() *Error {
	return New("ClusterNotFoundException", "The referenced cluster was inactive.")
}

// ServiceNotFound says that the cluster has no such service.
func ServiceNotFound() *Error { return New("ServiceNotFoundException", "Service not found.") }

// ServiceNotActive says that the service is draining or deleted.
func ServiceNotActive() *Error { return New("ServiceNotActiveException", "Service was not ACTIVE.") }

// TaskSetNotFound says that the service has no such task set.
func TaskSetNotFound() *Error {
	return New("TaskSetNotFoundException", "The specified task set was not found.")
}

// TargetNotFound says that an attribute's container instance does not exist.
func TargetNotFound(target string) *Error {
	return New("TargetNotFoundException", "The specified target was not found: %s", target)
}

// AttributeLimitExceeded says that a container instance would have too many custom attributes.
func AttributeLimitExceeded(most int, target string) *Error {
	return New("AttributeLimitExceededException", "You can apply up to %d custom attributes to each resource: %s", most, target)
}

// MissingVersion says that it is not known which version an agent is.
func MissingVersion(instance string) *Error {
	return New("MissingVersionException", "The version of the container agent of %s is not known.", instance)
}

// NoUpdateAvailable says that an agent cannot be updated from here.
func NoUpdateAvailable(version, instance string) *Error {
	return New("NoUpdateAvailableException", "There is no update available for the container agent %s of %s. Replace it on its machine.", version, instance)
}

// LimitExceeded says that a quota of the account keeps a resource from being made; what is like "clusters of an account in a region".
func LimitExceeded(most int, what string) *Error {
	return New("LimitExceededException", "The limit for the resource was exceeded: there can be at most %d %s.", most, what)
}

// AccessDenied is the answer to a principal without the permission; action is like "ecs:RunTask".
func AccessDenied(principal, action, resource string) *Error {
	return New("AccessDeniedException", "User: %s is not authorized to perform: %s on resource: %s because no identity-based policy allows the %s action",
		principal, action, resource, action)
}

// ErrNotRegistrar is in every NotRegistrar.
var ErrNotRegistrar = errors.New("another principal has registered the container instance")

// NotRegistrar is the answer to a principal that would be the agent of a container instance which another one has registered.
func NotRegistrar(principal, action, instance string) *Error {
	return New("AccessDeniedException", "User: %s is not authorized to perform: %s on resource: %s because %s",
		principal, action, instance, ErrNotRegistrar).Because(ErrNotRegistrar)
}

// Unsupported refuses by name an operation that AWS has and Berth has not.
func Unsupported(operation string) *Error {
	return New("UnsupportedOperationException", "Berth does not serve %s yet. docs/coverage.md lists what it serves.", operation)
}

// UnknownOperation is the answer to a name that the service does not have.
func UnknownOperation() *Error { return New("UnknownOperationException", "") }

// Serialization is the answer to a body that does not decode.
func Serialization(cause error) *Error {
	e := New("SerializationException", "%s", cause.Error())
	e.cause = cause
	return e
}

// Throttling says that the caller, or everybody together, asks for too much at once. SDKs wait and try again.
func Throttling() *Error { return New("ThrottlingException", "Rate exceeded") }

// ServiceDeploymentNotFound says that there is no such service deployment.
func ServiceDeploymentNotFound() *Error {
	return New("ServiceDeploymentNotFoundException", "Service deployment not found.")
}

// Conflict says that the resource is not in a state in which that can be done.
func Conflict(format string, args ...any) *Error { return New("ConflictException", format, args...) }
