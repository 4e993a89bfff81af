//go:build tools

// Package plugin names the Session Manager plugin that tests build: it is of a module of its own, so that Berth does not depend on what the plugin does.
package plugin

import _ "github.com/aws/session-manager-plugin/src/sessionmanagerplugin-main"
