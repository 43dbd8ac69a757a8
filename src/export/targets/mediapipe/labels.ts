/** The file of the names of the classes, behind the model. */
export const LABELS = 'labels.txt';
