import { defineConfig } from 'vite';

// GraphiQL 5, on the Monaco editor: the line that is developed further (4 is built on CodeMirror 5,
// which is no longer kept up). Monaco is the larger part of the bundle, but only the editor's core
// and the languages GraphQL and JSON come along, after the page, and the browser keeps them. Its
// workers, fonts and icons are files of ours as well, so nothing is fetched from elsewhere.
export default defineConfig({
  base: '/static/graphiql/',
  build: {
    outDir: '../../app/http/static/graphiql',
    emptyOutDir: true,
    // Monaco is one chunk of about this size and cannot sensibly be split.
    chunkSizeWarningLimit: 4000,
    rolldownOptions: {
      // Dependencies mark files "use client" for frameworks that render on a server.
      onwarn(warning, warn) {
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning);
      },
    },
  },
  server: {
    proxy: { '/graphql': { target: 'http://127.0.0.1:8000', ws: true } },
  },
});
