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
	client, err := c.dial(c.Endpoints)
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
	b.run(ctx, b.publish)
	if len(c.Endpoints) > 2 {
		b.run(ctx, b.shun)
	}
	if c.Maintain {
		b.tidy(ctx)
		b.run(ctx, b.maintain)
	}
	return b, nil
}

func (c *Config) dial(endpoints []string) (*clientv3.Client, error) {
	return clientv3.New(clientv3.Config{
		Endpoints:            endpoints,
		TLS:                  c.TLS,
		DialTimeout:          5 * time.Second,
		DialKeepAliveTime:    5 * time.Second,
		DialKeepAliveTimeout: 3 * time.Second,
		Logger:               zap.New(logCore{log: c.Log}),
	})
}

// Shared is a value that all replicas of an external cluster share beside the records. The first one makes it.
func (b *Backend) Shared(ctx context.Context, name string, first func() ([]byte, error)) ([]byte, error) {
	key := prefix + name // without a slash, so no record
	get := clientv3.OpGet(key)
	resp, err := b.client.Get(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	if len(resp.Kvs) > 0 {
		return resp.Kvs[0].Value, nil
	}
	value, err := first()
	if err != nil {
		return nil, err
	}
	put, err := b.client.Txn(ctx).If(clientv3.Compare(clientv3.CreateRevision(key), "=", 0)).Then(clientv3.OpPut(key, string(value))).Else(get).Commit()
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", key, err)
	}
	if !put.Succeeded { // another replica was faster
		return put.Responses[0].GetResponseRange().Kvs[0].Value, nil
	}
	return value, nil
}
