package trail

import (
	"reflect"
	"strings"
)

// hidden says which members of requests and answers are secrets. It names those that AWS's API models mark as sensitive, and what is one here besides: session
// and login tokens, lines of logs, the parameters of sessions.
func hidden(structure reflect.Type, member reflect.StructField) bool {
	switch member.Name {
	case "SecretString", "SecretBinary", "RandomPassword", "RotationToken", // Secrets Manager
		"SecretAccessKey", "SessionToken", "WebIdentityToken", "SAMLAssertion", "TradeInToken", // STS, IAM
		"Password", "NewPassword", "OldPassword", "ServicePassword", "ServiceCredentialSecret", "PrivateKey", "AddPrivateKey", "Base32StringSeed", "QRCodePNG",
		"Environment", "RepositoryCredentials", "TokenValue", // ECS
		"AuthorizationToken",      // ECR
		"ActivationCode",          // Systems Manager
		"UserData", "KeyMaterial", // EC2
		"TokenCode", "ContextAssertion", "ClientSecret", "PreSharedKey":
		return true
	}
	_, service, _ := strings.Cut(structure.PkgPath(), "/service/")
	service, _, _ = strings.Cut(service, "/")
	switch service + "." + structure.Name() + "." + member.Name {
	case "ssm.PutParameterInput.Value", "ssm.Parameter.Value", "ssm.ParameterHistory.Value", "ssm.StartSessionInput.Parameters",
		"cloudwatchlogs.PutLogEventsInput.LogEvents":
		return true
	}
	return member.Name == "Token" && strings.HasSuffix(structure.PkgPath(), "internal/api/berth") // to join with
}
