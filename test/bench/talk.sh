#!/usr/bin/env bash
# The runs of docs/talk.md, one after another; finished ones are skipped, so that a stopped script can be started again. `npm run build` first.
#
#     test/bench/talk.sh DATA OUT [PART…]
#
# DATA has bccd_voc, raccoon_voc, hymenoptera and a folder `photos` without annotated text; OUT gets the drawn set and a run directory for each run.
# PART is one of transfer, published, length, tips, curves, libra, ssd_lite0, ssd_vgg, carve, craft; without one, all. `node test/bench/talkTables.mjs OUT` writes the tables and pictures.
set -eu
data=$(realpath "$1") out=$(realpath -m "$2")
shift 2
cd "$(dirname "$0")/../.."
mkdir -p "$out"
[ -d "$out/talk64" ] || node test/bench/talkData.mjs "$out/talk64" --hymenoptera "$data/hymenoptera" --photos "$data/photos"
classes=$(ls "$out/talk64/train" | paste -sd, | sed 's/,/, /g')

run() { # NAME ARGUMENTS…
  [ -f "$out/$1/metrics.json" ] || { rm -rf "$out/$1" && node dist/cli/main.js "${@:2}" --set threads=2 --out "$out/$1"; }
}
# 5,424 images / batch 32 = 169 steps an epoch; × 4 = 676 steps. Learning rate 0.8 per 512 images → 0.05 at its peak.
pretrain() { # NAME BACKBONE OPTIONS…
  run "$1" recipes/pretrain-imagenet.yaml --set data.root="$out/talk64" --set "data.categories=[$classes]" --set data.size=64 \
    --set data.cropFraction=1 --set 'data.augment={cropArea: [0.5, 1], flip: 0, colour: 0.4}' --set model.backbone="$2" \
    --set model.dropout=0 --set model.stochasticDepth=0 --set train.batch=32 --set train.epochs=4 \
    --set 'train.warmup={epochs: 1}' --set 'train.lr={value: 0.8, perBatch: 512}' --set train.evaluateEvery=2 "${@:3}"
}
# 200 to 222 steps of 8 images on each set, scored after the last one.
detect() { # NAME BACKBONE SET WEIGHTS OPTIONS…
  local recipe model="backbone: $2, head: ssdlite, classLoss: softmax"
  case $3 in
    bccd) recipe="recipes/ssdlite-voc.yaml --set data.root=$data/bccd_voc --set data.invalidBoxes=drop --set train.epochs=8" ;;
    raccoon) recipe="recipes/ssdlite-voc.yaml --set data.root=$data/raccoon_voc --set train.epochs=12" ;;
    drawn) recipe="recipes/quickstart.yaml --set data.train.images=300 --set data.val.images=150 --set train.epochs=6" ;;
  esac
  [ "$4" = none ] || model="$model, weights: '$4', allowMissing: [neck.*, head.*], allowUnused: [classifier.*, head.*, backbone.conv_head.*]"
  # shellcheck disable=SC2086
  run "$1" $recipe --set "model={$model}" --set data.size=160 --set 'train.lr={value: 0.08, perBatch: 32}' \
    --set train.warmup.epochs=1 --set train.batch=8 --set train.evaluateEvery=100 "${@:5}"
}

backbones='mobilenetv2_100 mobilenetv3_large_100 mobilenetv1_100 rexnet_100 talk_small_reconstruction talk_large_reconstruction'
transfer() {
  local backbone set
  for backbone in $backbones; do
    pretrain "pre-$backbone-1" "$backbone" --set seed=1
    for set in bccd drawn; do detect "det-$backbone-$set-1" "$backbone" "$set" "run:$out/pre-$backbone-1" --set seed=1; done
  done
  for backbone in $backbones; do detect "det-$backbone-raccoon-1" "$backbone" raccoon "run:$out/pre-$backbone-1" --set seed=1; done
}

# One backbone after 0, 4 (above) and 8 epochs of pre-training.
length() {
  local set
  pretrain pre8-mobilenetv2_100-1 mobilenetv2_100 --set train.epochs=8 --set seed=1
  for set in bccd drawn; do
    detect "det8-mobilenetv2_100-$set-1" mobilenetv2_100 "$set" "run:$out/pre8-mobilenetv2_100-1" --set seed=1
    detect "det0-mobilenetv2_100-$set-1" mobilenetv2_100 "$set" none --set seed=1
  done
}

# Networks with published ImageNet weights, and MobileNetV2 from a detector on COCO.
published() {
  local size set
  for set in bccd raccoon drawn; do
    for size in 0 1 2; do detect "pub-lite$size-$set-1" "tf_efficientnet_lite$size" "$set" "efficientnet_lite$size.google" --set seed=1; done
    detect "pub-mobilenetv2-$set-1" tf_mobilenetv2_100 "$set" ssdlite_mobilenet_v2.coco --set seed=1 --set 'model.allowUnused=[neck.*, head.*]'
  done
}

# Settings of one classifier, 4 epochs, three seeds each.
tips() {
  local sgd='name: sgd, weightDecay: 0.00001' augment='cropArea: [0.5, 1], flip: 0, colour: 0.4'
  for seed in 1 2 3; do
    tip() { pretrain "tip-$1-$seed" mobilenetv3_small_050 --set train.evaluateEvery=4 --set seed="$seed" "${@:2}"; }
    tip nesterov
    tip momentum --set "train.optimizer={$sgd, momentum: 0.9, nesterov: false}"
    tip plain --set "train.optimizer={$sgd, momentum: 0, nesterov: false}"
    tip plain-10x --set "train.optimizer={$sgd, momentum: 0, nesterov: false}" --set train.lr.value=8
    tip adamw-0.001 --set 'train.optimizer={name: adamw}' --set 'train.lr={value: 0.001, perBatch: 32}'
    tip adamw-0.003 --set 'train.optimizer={name: adamw}' --set 'train.lr={value: 0.003, perBatch: 32}'
    tip ema --set 'train.ema={decay: 0.99}'
    tip cutmix --set "data.augment={$augment, cutmix: 1}"
    tip mixup --set "data.augment={$augment, mixup: 0.2}"
    tip cutout --set "data.augment={$augment, cutout: 0.5}"
  done
}

# A classifier with and without augmentation on 30 images of each class, scored on 40 others after each of 30 epochs.
curves() {
  local name part augment
  if [ ! -d "$out/few" ]; then
    for part in train:30 val:40; do
      for name in $(ls "$out/talk64/train"); do
        mkdir -p "$out/few.part/${part%:*}/$name"
        find "$out/talk64/${part%:*}/$name" -type f | sort | head -n "${part#*:}" | xargs cp -t "$out/few.part/${part%:*}/$name"
      done
    done
    mv "$out/few.part" "$out/few"
  fi
  for augment in 'plain: {cropArea: false, flip: 0, colour: 0}' 'augmented: {cropArea: [0.5, 1], flip: 0, colour: 0.4}'; do
    pretrain "curves-${augment%%:*}-1" mobilenetv3_small_050 --set data.root="$out/few" --set "data.augment=${augment#*: }" --set train.epochs=30 \
      --set 'train.warmup={epochs: 2}' --set train.evaluateEvery=1 --set seed=1
  done
}

# Faster R-CNN and RetinaNet with and without Libra's parts, on EfficientNet-Lite0 with ImageNet weights: 51 steps of 4 images an epoch; × 8 = 408.
libra() {
  local seed head recipe balanced
  for seed in 1 2 3; do
    for head in fasterrcnn retinanet; do
      recipe="recipes/$head-fpn-voc.yaml --set data.root=$data/bccd_voc --set data.invalidBoxes=drop --set data.size=256 --set train.epochs=8"
      recipe="$recipe --set train.batch=4 --set train.evaluateEvery=100 --set seed=$seed"
      balanced='--set model.neck=balanced --set model.boxLoss=balancedL1'
      [ $head = retinanet ] || balanced="$balanced --set model.sampling=iouBalanced"
      # shellcheck disable=SC2086
      { run "$head-$seed" $recipe && run "libra-$head-$seed" $recipe $balanced; }
    done
  done
}

# The head of SSD300 on EfficientNet-Lite0 with ImageNet weights, and on VGG-16 from random values: 25 steps of 8 images an epoch; × 20 = 500.
ssd() { # MODEL LR NAME
  run "$3" recipes/ssd300-voc.yaml --set data.root="$data/bccd_voc" --set data.train=train --set data.invalidBoxes=drop --set train.epochs=20 --set train.batch=8 \
    --set 'train.schedule={name: cosine}' --set train.evaluateEvery=100 --set seed=1 --set "model={head: ssd, classLoss: softmax, $1}" \
    --set "train.lr={value: $2, perBatch: 8}"
}
ssd_lite0() {
  ssd 'backbone: tf_efficientnet_lite0, weights: efficientnet_lite0.google, allowMissing: [neck.*, head.*], allowUnused: [blocks.*, conv_head.*, bn2.*, classifier.*]' 0.02 ssd300-lite0-1
}
ssd_vgg() { ssd 'backbone: vgg16_caffe' 0.002 ssd300-vgg16-1; }

# MobileNetV2's table edited step by step (carve.mjs), each pre-trained as above with three seeds.
carve() {
  local step seed
  for seed in 1 2 3; do
    for step in 0 1 2 3 4; do pretrain "carve-$step-$seed" "$(node test/bench/carve.mjs "$step")" --set train.evaluateEvery=4 --set seed="$seed"; done
  done
}

# CRAFT as published and CRAFT-lite, both from random values, on the same drawn text: 400 images / batch 4 = 100 steps an epoch; × 3 = 300.
craft() {
  local head
  local recipe=(recipes/craft-synth.yaml --set data.photos="$data/photos" --set data.train.images=400 --set data.val.images=20 --set data.side=384
    --set data.evaluateSize=384 --set train.epochs=3 --set train.batch=4 --set train.evaluateEvery=100 --set 'train.lr={value: 0.0005, perBatch: 4}'
    --set train.freeze.stages=0 --set seed=1)
  for head in 'craft-lite, backbone: tf_efficientnet_lite0' 'craft, backbone: vgg16_bn'; do
    run "${head%%,*}-1" "${recipe[@]}" --set "model={head: $head}"
  done
}

[ $# -gt 0 ] || set -- transfer published length tips curves libra ssd_lite0 ssd_vgg carve craft
for part; do "$part"; done
