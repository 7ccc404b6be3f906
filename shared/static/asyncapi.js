"use strict";
AsyncApiStandalone.render(
  { schema: { url: new URL("asyncapi.json", document.baseURI).href }, config: { show: { sidebar: true } } },
  document.getElementById("asyncapi"),
);
