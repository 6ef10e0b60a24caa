// Puts GraphiQL into the page. To act as somebody, log in with the mutation `logIn` and set the header `Authorization`.
'use strict';

const welcome = `# DAIRA. Log in first:
#
# mutation LogIn {
#   logIn(input: { email: "…", password: "…", device: "GraphiQL" }) {
#     tokens { accessToken }
#     userErrors { code message }
#   }
# }
#
# then set {"Authorization": "Bearer <accessToken>"} under "Headers", and:

query Home {
  homeFeed(first: 20) {
    edges {
      node {
        text
        author { handle name }
        counters { reactions comments }
        viewerReaction
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}
`;

ReactDOM.createRoot(document.getElementById('graphiql')).render(
  React.createElement(GraphiQL, {
    fetcher: GraphiQL.createFetcher({ url: '/graphql' }),
    defaultQuery: welcome,
    defaultEditorToolsVisibility: 'headers',
    shouldPersistHeaders: false,
  }),
);
