package ecs

import "strings"

// SecretProvider says where what a secret's valueFrom names is: "asm" for a secret of Secrets Manager, "ssm" for a parameter of Parameter Store.
func SecretProvider(valueFrom string) string {
	if strings.HasPrefix(valueFrom, "arn:") && strings.Contains(valueFrom, ":secretsmanager:") {
		return "asm"
	}
	return "ssm"
}
