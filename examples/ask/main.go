// Command ask calls an AWS API from within a container, with what the AWS SDK for Go finds there by itself: credentials, region and endpoint.
//
//	ask sts GetCallerIdentity
//	ask secretsmanager GetSecretValue '{"SecretId": "greeting"}'
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"berth/internal/sdkhttp"
)

func main() {
	ctx, stop := context.WithTimeout(context.Background(), 30*time.Second)
	defer stop()
	out, err := ask(ctx, os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "ask:", err)
		os.Exit(1)
	}
	fmt.Println(out)
}

// ask makes the call and returns its answer as JSON.
func ask(ctx context.Context, args []string) (string, error) {
	if len(args) < 2 {
		return "", fmt.Errorf("say a service, an operation and its input as JSON: ask sts GetCallerIdentity '{}'")
	}
	c, err := config.LoadDefaultConfig(ctx, config.WithHTTPClient(sdkhttp.New()))
	if err != nil {
		return "", err
	}
	clients := map[string]any{
		"ecs": ecs.NewFromConfig(c), "logs": cloudwatchlogs.NewFromConfig(c), "secretsmanager": secretsmanager.NewFromConfig(c), "ssm": ssm.NewFromConfig(c), "sts": sts.NewFromConfig(c),
	}
	client, ok := clients[args[0]]
	if !ok {
		return "", fmt.Errorf("the services are %s", strings.Join(slices.Sorted(maps.Keys(clients)), ", "))
	}
	call := reflect.ValueOf(client).MethodByName(args[1])
	if !call.IsValid() || call.Type().NumIn() != 3 {
		return "", fmt.Errorf("%s has no operation %s", args[0], args[1])
	}
	in := reflect.New(call.Type().In(1).Elem())
	if len(args) > 2 {
		if err := json.Unmarshal([]byte(args[2]), in.Interface()); err != nil {
			return "", fmt.Errorf("read the input: %w", err)
		}
	}
	results := call.Call([]reflect.Value{reflect.ValueOf(ctx), in})
	if err, failed := results[1].Interface().(error); failed {
		return "", err
	}
	out := map[string]any{}
	text, err := json.Marshal(results[0].Interface())
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	delete(out, "ResultMetadata")
	if err == nil {
		text, err = json.Marshal(out)
	}
	return string(text), err
}
