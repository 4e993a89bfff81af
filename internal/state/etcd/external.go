package etcd

import (
	"context"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// connect reaches an external cluster, and fails unless it answers a linearizable read before ctx ends.
func connect(ctx context.Context, c Config) (*Backend, error) {
	client, err := clientv3.New(clientv3.Config{
		Endpoints:            c.Endpoints,
		TLS:                  c.TLS,
		DialTimeout:          5 * time.Second,
		DialKeepAliveTime:    5 * time.Second,
		DialKeepAliveTimeout: 3 * time.Second,
		Logger:               zap.New(logCore{log: c.Log}),
	})
	if err != nil {
		return nil, fmt.Errorf("connect to etcd at %v: %w", c.Endpoints, err)
	}
	b := newBackend(c, client)
	if _, err := b.Head(ctx); err != nil {
		return nil, fmt.Errorf("connect to etcd at %v: %w", c.Endpoints, joinClose(err, b))
	}
	if err := b.dropStaleLeader(ctx); err != nil {
		return nil, joinClose(err, b)
	}
	b.run(ctx, b.observe)
	b.run(ctx, b.succeed)
	if c.Maintain {
		b.tidy(ctx)
		b.run(ctx, b.maintain)
	}
	return b, nil
}
