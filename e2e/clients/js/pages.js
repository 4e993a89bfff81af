// Goes through all lists of a file by the SDK's paginators, a page of one item at a time.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const { ecs, client, main } = require('./client.js');

const lists = JSON.parse(fs.readFileSync(process.argv[2]));

async function everyPaginatorHasAList() {
  const have = lists.map((l) => `paginate${l.operation}`);
  for (const name of Object.keys(ecs).filter((k) => k.startsWith('paginate'))) {
    assert(have.includes(name), `no list is for ${name}`);
  }
}

async function pagesOfOne() {
  for (const l of lists) {
    const got = [];
    let pages = 0;
    for await (const page of ecs[`paginate${l.operation}`]({ client, pageSize: 1 }, l.parameters)) {
      got.push(...page[l.result].map((item) => (l.item ? item[l.item] : item)));
      pages++;
    }
    assert.deepEqual(got, l.want, l.operation);
    assert.equal(pages, Math.max(1, l.want.length), `${l.operation}: pages`);
  }
}

main(everyPaginatorHasAList, pagesOfOne);
