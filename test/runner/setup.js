import { register } from 'node:module';

/** Runs once in each worker, before its first test file. */

// TensorFlow reads its variables when it is loaded.
process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
process.env.TF_ENABLE_ONEDNN_OPTS ??= '1';
process.env.TF_DETERMINISTIC_OPS ??= '1';
// Two test files run at a time on two cores: with two threads each, TensorFlow spent a fifth of its time on waiting for them.
// The slow tests, and the processes that test/train/kill starts, have all threads, whose races they would meet.
if (process.env.FINETUNE_SLOW !== '1') process.env.TF_NUM_INTRAOP_THREADS ??= '1';

// Which engine predicts is measured on each machine; the results of tests must not depend on it.
process.env.FINETUNE_INFERENCE_ENGINE ??= 'tensorflow';

process.setSourceMapsEnabled(true);
register('./hooks.js', import.meta.url);
