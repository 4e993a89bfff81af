package policy

import "fmt"

// MalformedError says why a text is no policy, in AWS's words: the message of MalformedPolicyDocument.
type MalformedError struct{ Message string }

func (e *MalformedError) Error() string { return e.Message }

func malformed(format string, args ...any) *MalformedError {
	return &MalformedError{Message: fmt.Sprintf(format, args...)}
}

// What IAM says of policies of identities.
const (
	syntaxErrors  = "Syntax errors in policy."
	wantsVersion  = "Policy document must be version 2012-10-17 or greater."
	legacyParsing = "The policy failed legacy parsing"
	uniqueSids    = "Statement IDs (SID) in a single policy must be unique."
	plainSids     = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
	noPrincipal   = "Policy document should not specify a principal."
	wantsActions  = "Policy statement must contain actions."
	wantsResource = "Policy statement must contain resources."
	wantsVendor   = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
	oneColon      = "Actions/Condition can contain only one colon."
	plainVendor   = "Resource vendor must be fully qualified and cannot contain regexes."
	pathOfIAM     = `IAM resource path must either be "*", root, or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, ` +
		`server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/.`
)

// What IAM says of trust policies, and services of policies of resources.
const (
	invalidJSON       = "This policy contains invalid Json"
	syntaxError       = "Syntax error in policy."
	validVersion      = "The policy must contain a valid version string"
	emptyStatement    = "Could not parse the policy: Statement is empty!"
	uniqueStatements  = "The Statement Ids in the policy are not unique"
	missingField      = "Missing required field %s"
	emptyPrincipal    = "Missing required field Principal cannot be empty!"
	trustEverybody    = "AssumeRolepolicy contained an invalid principal"
	wantsCondition    = "A condition block must be present for the Cognito provider"
	principalObject   = "Principal must be a JSON object."
	allowNotPrincipal = "Allow with NotPrincipal is not allowed."
	trustNotPrincipal = "AssumeRole policy must not contain NotPrincipal field."
	onlySTS           = "AssumeRole policy may only specify STS AssumeRole actions."
	trustResource     = "Has prohibited field Resource"
	trustNotResource  = "AssumeRole policy must not contain resources."
	unknownField      = "Unknown field %s"
)
