module.exports = {
  renaksi: {
    input: "../openapi.json",
    output: { target: "generated/orval/renaksi.ts", schemas: "generated/orval/model", client: "fetch", mode: "split", clean: true },
  },
};
