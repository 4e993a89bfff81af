package acsproto

// RegistryAuthentication says how the agent logs in to the registry of a container's image.
type RegistryAuthentication struct {
	Type string          `json:"type"` // ecr or asm
	ECR  *ECRAuthData    `json:"ecrAuthData,omitempty"`
	ASM  *SecretAuthData `json:"asmAuthData,omitempty"`
}

// The ways to log in.
const (
	AuthECR            = "ecr" // with an authorization token of ECR
	AuthSecretsManager = "asm" // with a name and a password that are in a secret, read as the task execution role
)

// ECRAuthData is of whose registry the agent gets an authorization token, and as whom.
type ECRAuthData struct {
	RegistryID       string `json:"registryId"`
	Region           string `json:"region"`
	UseExecutionRole bool   `json:"useExecutionRole"` // otherwise the container instance's
}

// SecretAuthData is where a name and a password are: {"username": "...", "password": "..."}.
type SecretAuthData struct {
	CredentialsParameter string `json:"credentialsParameter"` // ARN or name of a secret of Secrets Manager
	Region               string `json:"region"`
}
