import { defineConfig } from 'vite';

export default defineConfig({ base: './' }); // so that the page works below any path
